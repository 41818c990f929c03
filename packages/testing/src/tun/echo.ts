import { isIPv6 } from 'node:net';

/** One ICMP or ICMPv6 echo, by its addresses. */
export interface Echo {
  readonly from: string;
  readonly to: string;
  readonly sequence: number;
  /** Bytes of payload. */
  readonly size: number;
}

const IDENTIFIER = 0x7673;

/** An echo request as a bare IP packet: RFC 792, or RFC 4443 §4.1 when the addresses are IPv6. */
export function echoRequest({ from, to, sequence, size }: Echo): Buffer {
  const six = isIPv6(from);
  const message = Buffer.alloc(8 + size, 0x61);
  message.writeUInt8(six ? 128 : 8, 0);
  message.fill(0, 1, 4);
  message.writeUInt16BE(IDENTIFIER, 4);
  message.writeUInt16BE(sequence, 6);
  const header = six ? header6(from, to, message.length) : header4(from, to, message.length);
  message.writeUInt16BE(checksum(six ? [pseudoHeader(header), message] : [message]), 2);
  return Buffer.concat([header, message]);
}

/** What an echo of ours says when all its checksums are right; undefined for any other packet. */
export function isSoundEcho(packet: Buffer): (Echo & { readonly kind: 'request' | 'reply' }) | undefined {
  const six = (packet[0] ?? 0) >> 4 === 6;
  const length = six ? 40 : ((packet[0] ?? 0) & 0x0f) * 4;
  const message = packet.subarray(length);
  if (message.length < 8 || packet[six ? 6 : 9] !== (six ? 58 : 1) || message.readUInt16BE(4) !== IDENTIFIER)
    return undefined;
  const header = packet.subarray(0, length);
  const sound = six
    ? checksum([pseudoHeader(header), message]) === 0
    : checksum([header]) === 0 && checksum([message]) === 0;
  const kind = (six ? { 128: 'request', 129: 'reply' } : { 8: 'request', 0: 'reply' })[message[0] as 0] as
    | 'request'
    | 'reply'
    | undefined;
  if (!sound || kind === undefined) return undefined;
  const [from, to] = six
    ? [textOf6(packet.subarray(8, 24)), textOf6(packet.subarray(24, 40))]
    : [packet.subarray(12, 16).join('.'), packet.subarray(16, 20).join('.')];
  return { from, to, sequence: message.readUInt16BE(6), size: message.length - 8, kind };
}

/** RFC 791 §3.1 */
function header4(from: string, to: string, length: number): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt8(0x45, 0);
  header.writeUInt16BE(20 + length, 2);
  header.writeUInt8(64, 8);
  header.writeUInt8(1, 9);
  Buffer.from(from.split('.').map(Number)).copy(header, 12);
  Buffer.from(to.split('.').map(Number)).copy(header, 16);
  header.writeUInt16BE(checksum([header]), 10);
  return header;
}

/** RFC 8200 §3 */
function header6(from: string, to: string, length: number): Buffer {
  const header = Buffer.alloc(40);
  header.writeUInt8(0x60, 0);
  header.writeUInt16BE(length, 4);
  header.writeUInt8(58, 6);
  header.writeUInt8(64, 7);
  bytesOf6(from).copy(header, 8);
  bytesOf6(to).copy(header, 24);
  return header;
}

/** RFC 8200 §8.1 */
function pseudoHeader(header: Buffer): Buffer {
  const rest = Buffer.alloc(8);
  rest.writeUInt32BE(header.readUInt16BE(4), 0);
  rest.writeUInt8(58, 7);
  return Buffer.concat([header.subarray(8, 40), rest]);
}

/** RFC 1071; 0 over what holds a right one. */
function checksum(parts: readonly Buffer[]): number {
  let sum = 0;
  for (const part of parts)
    for (let offset = 0; offset < part.length; offset += 2) sum += ((part[offset] ?? 0) << 8) | (part[offset + 1] ?? 0); // every part but the last is even
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** The bytes of an IPv6 address without a dotted part. */
function bytesOf6(address: string): Buffer {
  const [head = '', tail = ''] = address.split('::');
  const [left, right] = [head, tail].map((half) => (half === '' ? [] : half.split(':')));
  const groups = [
    ...(left ?? []),
    ...Array<string>(8 - (left?.length ?? 0) - (right?.length ?? 0)).fill('0'),
    ...(right ?? []),
  ];
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

/** As Node writes it. */
function textOf6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
