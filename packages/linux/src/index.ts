export { openTunDevice, type TunDeviceOptions } from './device/open-tun-device.ts';
