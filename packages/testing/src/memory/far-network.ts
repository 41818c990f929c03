import type { TunMode } from '@viassh/core';

/** What stands behind a tun device of the memory server: gives the answers to one packet. */
export type FarNetwork = (packet: Buffer, mode: TunMode) => readonly Buffer[];

/** Answers ICMP and ICMPv6 echo requests to whatever address; sends all else back with the addresses swapped. */
export const echoNetwork: FarNetwork = (packet, mode) => {
  const answer = Buffer.from(packet);
  if (mode === 'ethernet') swap(answer, 0, 6);
  const ip = mode === 'ethernet' ? answer.subarray(14) : answer;
  const version = (ip[0] ?? 0) >> 4;
  if (version === 4 && ip.length >= 20) {
    swap(ip, 12, 4);
    const header = ((ip[0] ?? 0) & 0x0f) * 4;
    if (ip[9] === 1) answerEcho(ip.subarray(header), 8, 0); // RFC 792
  } else if (version === 6 && ip.length >= 40) {
    swap(ip, 8, 16);
    if (ip[6] === 58) answerEcho(ip.subarray(40), 128, 129); // RFC 4443 §4
  }
  return [answer];
};

/** Two fields of `length` bytes, one behind the other, change places. */
function swap(bytes: Buffer, offset: number, length: number): void {
  const first = Buffer.from(bytes.subarray(offset, offset + length));
  bytes.copyWithin(offset, offset + length, offset + 2 * length);
  first.copy(bytes, offset + length);
}

/** Turns a request into its reply and corrects the checksum as RFC 1624 §3 says. */
function answerEcho(message: Buffer, request: number, reply: number): void {
  if (message.length < 8 || message[0] !== request) return;
  message[0] = reply;
  const sum = (~message.readUInt16BE(2) & 0xffff) + (~(request << 8) & 0xffff) + (reply << 8);
  const folded = (sum & 0xffff) + (sum >>> 16);
  message.writeUInt16BE(~((folded & 0xffff) + (folded >>> 16)) & 0xffff, 2);
}
