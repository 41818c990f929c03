import { ViasshError } from '@viassh/core';

/** What a packet costs of a window beside its bytes. */
export const PACKET_HEAD = 2;

/** Packets behind their lengths, with `lead` bytes left free before them. */
export function packPackets(packets: readonly Buffer[], lead = 0): Buffer {
  const body = Buffer.allocUnsafe(lead + packets.reduce((sum, { length }) => sum + PACKET_HEAD + length, 0));
  let offset = lead;
  for (const packet of packets) {
    offset = body.writeUInt16BE(packet.length, offset);
    offset += packet.copy(body, offset);
  }
  return body;
}

/** @throws ViasshError PROTOCOL_ERROR when the lengths do not fit */
export function unpackPackets(body: Buffer, lead = 0): Buffer[] {
  const packets: Buffer[] = [];
  let offset = lead;
  while (offset + PACKET_HEAD <= body.length) {
    const start = offset + PACKET_HEAD;
    const end = start + body.readUInt16BE(offset);
    if (end > body.length) break;
    packets.push(body.subarray(start, end));
    offset = end;
  }
  if (offset !== body.length) throw new ViasshError('PROTOCOL_ERROR', 'the packets of a lease are cut');
  return packets;
}

/** The first so many packets that cost no more than `room`. */
export function packetsWithin(packets: readonly Buffer[], room: number): number {
  let cost = 0;
  const first = packets.findIndex(({ length }) => (cost += length + PACKET_HEAD) > room);
  return first < 0 ? packets.length : first;
}

/** What packets cost of a window. */
export function costOf(packets: readonly Buffer[]): number {
  return packets.reduce((sum, { length }) => sum + length + PACKET_HEAD, 0);
}
