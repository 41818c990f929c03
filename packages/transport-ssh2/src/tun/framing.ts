import { longestPacket, type TunMode } from '@viassh/core';

/** The address family in front of each IP packet: OpenBSD's numbers, on whatever system (PROTOCOL §2.3). */
const ipv4 = Buffer.from([0, 0, 0, 2]);
const ipv6 = Buffer.from([0, 0, 0, 24]);

/** What stands before a packet on the wire; undefined when it is no packet, or one too long. */
export function headOf(packet: Buffer, mode: TunMode): Buffer | undefined {
  if (packet.length === 0 || packet.length > longestPacket) return undefined;
  if (mode === 'ethernet') return Buffer.alloc(0);
  const version = (packet[0] ?? 0) >> 4;
  return version === 4 ? ipv4 : version === 6 ? ipv6 : undefined;
}

/** The packet in one CHANNEL_DATA; undefined when there is none. */
export function packetOf(data: Buffer, mode: TunMode): Buffer | undefined {
  const packet = mode === 'ethernet' ? data : data.subarray(4);
  const head = headOf(packet, mode);
  return head?.equals(data.subarray(0, head.length)) === true ? packet : undefined;
}
