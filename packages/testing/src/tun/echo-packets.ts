/** ICMP echo, so that a test can ask the kernel behind a tun device whether packets arrive whole. */

/** One question: both addresses as text, of the same family. */
export interface EchoRequest {
  readonly from: string;
  readonly to: string;
  readonly sequence: number;
  readonly payload?: Buffer | undefined;
}

/** One answer. */
export interface EchoReply {
  readonly family: 4 | 6;
  readonly sequence: number;
  readonly payload: Buffer;
}

const IDENTIFIER = 0x7a55;
const ICMP = 1; // IANA protocol numbers
const ICMPV6 = 58;
/** RFC 792 and RFC 4443 §4: type numbers of request and reply. */
const echoTypes = { 4: { request: 8, reply: 0 }, 6: { request: 128, reply: 129 } } as const;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const ICMP_HEADER = 8;

/** An IPv4 or IPv6 packet with an echo request, checksums included. */
export function echoRequest({ from, to, sequence, payload = Buffer.alloc(0) }: EchoRequest): Buffer {
  const family = to.includes(':') ? 6 : 4;
  const icmp = Buffer.concat([Buffer.alloc(ICMP_HEADER), payload]);
  icmp.writeUInt8(echoTypes[family].request, 0);
  icmp.writeUInt16BE(IDENTIFIER, 4);
  icmp.writeUInt16BE(sequence, 6);
  return family === 4 ? ipv4(from, to, icmp) : ipv6(from, to, icmp);
}

/** The answer in a packet; undefined when it is something else (devices talk a lot by themselves). */
export function echoReply(packet: Buffer): EchoReply | undefined {
  const family = packet.length > 0 && packet.readUInt8(0) >> 4 === 6 ? 6 : 4;
  const header = family === 4 ? IPV4_HEADER : IPV6_HEADER;
  if (packet.length < header + ICMP_HEADER) return undefined;
  if (packet.readUInt8(family === 4 ? 9 : 6) !== (family === 4 ? ICMP : ICMPV6)) return undefined;
  const icmp = packet.subarray(header);
  if (icmp.readUInt8(0) !== echoTypes[family].reply || icmp.readUInt16BE(4) !== IDENTIFIER) return undefined;
  return { family, sequence: icmp.readUInt16BE(6), payload: icmp.subarray(ICMP_HEADER) };
}

/** RFC 791 §3.1 */
function ipv4(from: string, to: string, icmp: Buffer): Buffer {
  icmp.writeUInt16BE(checksum(icmp), 2);
  const header = Buffer.alloc(IPV4_HEADER);
  header.writeUInt8(0x45, 0);
  header.writeUInt16BE(IPV4_HEADER + icmp.length, 2);
  header.writeUInt8(64, 8);
  header.writeUInt8(ICMP, 9);
  bytesOf4(from).copy(header, 12);
  bytesOf4(to).copy(header, 16);
  header.writeUInt16BE(checksum(header), 10);
  return Buffer.concat([header, icmp]);
}

/** RFC 8200 §3; the checksum covers a pseudo-header (§8.1). */
function ipv6(from: string, to: string, icmp: Buffer): Buffer {
  const addresses = Buffer.concat([bytesOf6(from), bytesOf6(to)]);
  const pseudo = Buffer.alloc(8);
  pseudo.writeUInt32BE(icmp.length, 0);
  pseudo.writeUInt8(ICMPV6, 7);
  icmp.writeUInt16BE(checksum(Buffer.concat([addresses, pseudo, icmp])), 2);
  const header = Buffer.alloc(8);
  header.writeUInt8(0x60, 0);
  header.writeUInt16BE(icmp.length, 4);
  header.writeUInt8(ICMPV6, 6);
  header.writeUInt8(64, 7);
  return Buffer.concat([header, addresses, icmp]);
}

function bytesOf4(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number));
}

/** Eight groups, or fewer around one `::`. */
function bytesOf6(address: string): Buffer {
  const [before = [], after = []] = address.split('::').map((half) => half.split(':').filter((group) => group !== ''));
  const groups = [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after];
  const bytes = Buffer.alloc(16);
  for (const [index, group] of groups.entries()) bytes.writeUInt16BE(Number.parseInt(group, 16), index * 2);
  return bytes;
}

/** RFC 1071 */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2)
    sum += at + 1 < bytes.length ? bytes.readUInt16BE(at) : bytes.readUInt8(at) << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
