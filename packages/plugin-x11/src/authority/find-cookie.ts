import { isIPv4, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { addressFamily, type AuthorityEntry } from './parse-authority.ts';

/** The one protocol that we speak: the cookie is sent as it is. */
export const COOKIE_PROTOCOL = 'MIT-MAGIC-COOKIE-1';

/** Where a display is, as an Xauthority file names it. */
export interface DisplayAddress {
  readonly family: number;
  readonly address: Buffer;
  readonly number: number;
}

/** The address of the display at the other end of a socket. This machine is named by its host name, by whichever way it was reached. */
export function displayAddress({ remoteAddress }: Pick<Socket, 'remoteAddress'>, number: number): DisplayAddress {
  const peer = remoteAddress?.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (peer === undefined || peer === '::1' || peer.startsWith('127.'))
    return { family: addressFamily.local, address: Buffer.from(hostname()), number };
  if (isIPv4(peer))
    return { family: addressFamily.internet, address: Buffer.from(peer.split('.').map(Number)), number };
  return { family: addressFamily.internet6, address: ipv6Bytes(peer), number };
}

/** The cookie of the first entry that fits; undefined when there is none. */
export function findCookie(
  entries: readonly AuthorityEntry[],
  { family, address, number }: DisplayAddress,
): Buffer | undefined {
  return entries.find(
    (entry) =>
      entry.name === COOKIE_PROTOCOL &&
      (entry.number === '' || entry.number === String(number)) &&
      (entry.family === addressFamily.wild || (sameFamily(entry.family, family) && entry.address.equals(address))),
  )?.data;
}

function sameFamily(entry: number, family: number): boolean {
  if (entry === family) return true;
  return family === addressFamily.local && (entry === addressFamily.localHost || entry === addressFamily.netname);
}

/** For an address that the system wrote. */
function ipv6Bytes(text: string): Buffer {
  const [head = '', tail = ''] = text.split('::');
  const [before, after] = [groups(head), groups(tail)];
  return Buffer.from([...before, ...Array<number>(Math.max(0, 16 - before.length - after.length)).fill(0), ...after]);
}

function groups(part: string): readonly number[] {
  const words = part.split(':').filter((group) => group !== '');
  return words.flatMap((group) => {
    if (isIPv4(group)) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
