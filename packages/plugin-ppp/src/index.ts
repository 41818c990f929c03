export type { CarrierCounters, LinkAddress, LinkTerms, PacketCarrier } from './carrier/packet-carrier.ts';
export type { PppCredentials, PppOptions, PppSession } from './ppp/ppp-session.ts';
