export { openTunDevice, type TunDeviceOptions } from './device/open-tun-device.ts';

export {
  type AddressPlan,
  createLinkNetwork,
  type LinkNetwork,
  type LinkNetworkOptions,
  type LinkPlan,
  type NetworkLink,
  type PinnedName,
  type PlannedAddress,
} from './network/link-network.ts';
export { ownConnections } from './network/own-connections.ts';
