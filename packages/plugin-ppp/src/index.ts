export { type FrameCarrier, type FrameCarrierOptions, frameCarrier } from './carrier/frame-carrier.ts';
export type { FrameAgreement, FrameOffer, OfferedAddress } from './carrier/frame-offer.ts';
export { pppCarrier, type PppSessionMaker } from './carrier/ppp-carrier.ts';
export { tunCarrier, type TunCarrierOptions } from './carrier/tun-carrier.ts';
export type { CarrierCounters, LinkAddress, LinkTerms, PacketCarrier } from './carrier/packet-carrier.ts';
export {
  createDeframer,
  type Deframer,
  type DeframerCounters,
  type DeframerOptions,
} from './framing/deframer.ts';
export { createFramer, type Framer } from './framing/framer.ts';
export { type FrameForm, plainForm } from './framing/framing.ts';
export { createPppSession } from './ppp/create-ppp-session.ts';
export { createPacketFilter, type PacketFilter } from './address/packet-filter.ts';
export type { PppCredentials, PppOptions, PppSession } from './ppp/ppp-session.ts';
export { pppPlugin } from './ppp-plugin.ts';
