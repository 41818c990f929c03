import type { TunMode } from '@viassh/core';
import { createPacketFilter, type PacketFilter } from '../address/packet-filter.ts';
import type { LinkAddress } from './packet-carrier.ts';

/**
 * Which packets of a carrier may go on; undefined: all of them, where nothing is agreed that they could be held to. Each
 * stands behind `header` bytes.
 */
export function linkFilter(
  mode: TunMode,
  addresses: readonly LinkAddress[],
  acceptFrom: readonly string[] | undefined,
  header: number,
): PacketFilter | undefined {
  if (mode === 'ethernet' || addresses.length === 0) return undefined;
  const accepts = createPacketFilter(addresses, acceptFrom);
  return header === 0 ? accepts : (packet) => accepts(packet.subarray(header));
}
