import { readFile, stat } from 'node:fs/promises';
import { isIPv4, isIPv6, type Socket } from 'node:net';
import { endianness } from 'node:os';
import { ViasshError } from '../errors/viassh-error.ts';
import type { Logger } from '../log/logger.ts';

/**
 * For listeners on TCP behind which somebody is logged in already: turns away clients of other users of this machine but
 * root, as the rights of a Unix socket would. Linux says in /proc/net/tcp whose socket it is; where that cannot be told
 * (another system, a client of another machine), one warning is given for all of them and the client is served.
 *
 * @throws ViasshError CLIENT_REFUSED, from the function that it gives
 */
export function admitOwnUser(log: Pick<Logger, 'warning'>): (client: Socket) => Promise<void> {
  let warned = false;
  return async (client) => {
    const [own, owner] = await Promise.all([ownUser(), ownerOf(client)]);
    if (own === undefined || owner === 'unknown') {
      if (!warned) log.warning('whoever connects is served: whose clients they are cannot be told');
      warned = true;
    } else if (owner === 'gone') {
      throw new ViasshError('CLIENT_REFUSED', 'a client was gone before it could be told whose it was');
    } else if (owner !== own && owner !== 0) {
      throw new ViasshError('CLIENT_REFUSED', `a client of another user (uid ${owner}) was turned away`);
    }
  };
}

async function ownUser(): Promise<number | undefined> {
  const self = await stat('/proc/self').catch(() => undefined);
  return self?.uid;
}

/**
 * The uid of the process that has the other end. `gone`: it has closed it, and then its uid, which the kernel shows as
 * 0, says nothing any more.
 */
async function ownerOf(client: Socket): Promise<number | 'gone' | 'unknown'> {
  const { localAddress, localPort, remoteAddress, remotePort } = client;
  if (localAddress === undefined || remoteAddress === undefined || localPort === undefined || remotePort === undefined)
    return 'gone';
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map(readTable));
  if (tables.every((table) => table === undefined)) return 'unknown';
  // A socket of IPv6 may talk to one of IPv4: either table may have it.
  const theirs = forms(remoteAddress).map((address) => `${address}:${hexPort(remotePort)}`);
  const ours = forms(localAddress).map((address) => `${address}:${hexPort(localPort)}`);
  const row = tables
    .flatMap((table) => table ?? [])
    .find(([, local = '', remote = '']) => theirs.includes(local) && ours.includes(remote));
  if (row === undefined) return isOfThisMachine(remoteAddress) ? 'gone' : 'unknown';
  const [uid, inode] = [Number(row[7]), Number(row[9])];
  return inode === 0 ? 'gone' : uid;
}

/** Rows of columns, proc(5): sl, local_address, rem_address, st, queues, timer, retrnsmt, uid, timeout, inode. */
async function readTable(file: string): Promise<string[][] | undefined> {
  const text = await readFile(file, 'latin1').catch(() => undefined);
  return text
    ?.split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/));
}

/** As the tables write an address: its 32-bit words in the byte order of the machine; of IPv4 also its form in IPv6. */
function forms(address: string): string[] {
  const v4 = /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (v4 !== undefined && isIPv4(v4)) {
    const word = hexWords(Buffer.from(v4.split('.').map(Number)));
    return [word, hexWords(Buffer.from('00000000000000000000ffff', 'hex')) + word];
  }
  return isIPv6(address) ? [hexWords(bytesOfIPv6(address))] : [];
}

function bytesOfIPv6(address: string): Buffer {
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const before = groups(head);
  const after = groups(tail ?? '');
  const zeros = Array<string>(8 - before.length - after.length).fill('0');
  const all = tail === undefined ? before : [...before, ...zeros, ...after];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

function groups(text: string): string[] {
  return text === '' ? [] : text.split(':');
}

function hexWords(bytes: Buffer): string {
  const native = Buffer.from(bytes);
  return (endianness() === 'LE' ? native.swap32() : native).toString('hex').toUpperCase();
}

function hexPort(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0');
}

function isOfThisMachine(address: string): boolean {
  return /^(?:::ffff:)?127\.|^::1$/i.test(address);
}
