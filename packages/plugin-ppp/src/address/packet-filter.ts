import type { LinkAddress } from '../carrier/packet-carrier.ts';
import { parseIp } from './ip-address.ts';

/** Whether a packet that came may go on. */
export type PacketFilter = (packet: Buffer) => boolean;

interface Network {
  readonly bytes: Buffer;
  readonly prefix: number;
}

/**
 * Takes whole IPv4 and IPv6 packets of addresses that the link has. With `networks` (CIDR): those that come from the other
 * end's own address (without one: from the network of ours) or from one of these, whatever they are for. Without: those
 * that come from there or are for us. Never one that says it comes from us, from a loopback or from a multicast address.
 */
export function createPacketFilter(addresses: readonly LinkAddress[], networks?: readonly string[]): PacketFilter {
  const local = byFamily(addresses.flatMap((address) => readNetwork(address.local)));
  const sources = byFamily([
    ...addresses.flatMap(({ local, remote, prefix }) => readNetwork(remote ?? `${local}/${prefix}`)),
    ...(networks ?? []).flatMap(readNetwork),
  ]);
  const strict = networks !== undefined;
  return (packet) => {
    const family = packet.length === 0 ? 0 : packet[0]! >>> 4;
    if (family === 4) {
      if (packet.length < 20 || packet.readUInt16BE(2) > packet.length || packet.readUInt16BE(2) < 20) return false;
      const first = packet[12]!;
      if (first === 127 || first >= 224 || isIn(packet, 12, local[4])) return false;
      return isIn(packet, 12, sources[4]) || (!strict && isIn(packet, 16, local[4]));
    }
    if (family !== 6 || packet.length < 40 || packet.readUInt16BE(4) + 40 > packet.length) return false;
    if (packet[8] === 0xff || isIn(packet, 8, loopback) || isIn(packet, 8, local[6])) return false;
    return isIn(packet, 8, sources[6]) || (!strict && isIn(packet, 24, local[6]));
  };
}

const loopback: readonly Network[] = readNetwork('::1');

/** An address, or a network in CIDR form; none when it is neither. */
function readNetwork(text: string): Network[] {
  const [address = '', prefix] = text.split('/');
  const bytes = parseIp(address)?.bytes;
  if (bytes === undefined) return [];
  return [{ bytes, prefix: prefix === undefined ? 8 * bytes.length : Number(prefix) }];
}

function byFamily(networks: readonly Network[]): Readonly<Record<4 | 6, readonly Network[]>> {
  return {
    4: networks.filter(({ bytes }) => bytes.length === 4),
    6: networks.filter(({ bytes }) => bytes.length === 16),
  };
}

function isIn(packet: Buffer, at: number, networks: readonly Network[]): boolean {
  for (const network of networks) if (matches(packet, at, network)) return true;
  return false;
}

function matches(packet: Buffer, at: number, { bytes, prefix }: Network): boolean {
  const whole = prefix >>> 3;
  for (let index = 0; index < whole; index += 1) if (packet[at + index] !== bytes[index]) return false;
  const rest = prefix & 7;
  return rest === 0 || (packet[at + whole]! ^ bytes[whole]!) >>> (8 - rest) === 0;
}
