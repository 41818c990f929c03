import { readdir, readFile, readlink } from 'node:fs/promises';
import { isIP } from 'node:net';
import { ownPid } from './own-pid.ts';

/**
 * The far addresses of the TCP connections that this process, the programs that it started, and those that they started have
 * open, without those to this machine: where a route into a link must not take an ssh connection of ours. `alsoOf`: more
 * processes, such as a master of the user's own.
 */
export async function ownConnections(alsoOf: readonly number[] = []): Promise<readonly string[]> {
  const peers = new Set<string>();
  for (const pid of await withDescendants([await ownPid(), ...alsoOf])) {
    const sockets = await socketsOf(pid);
    if (sockets.size === 0) continue;
    for (const table of ['tcp', 'tcp6'])
      for (const line of (await readFile(`/proc/${pid}/net/${table}`, 'utf8').catch(() => '')).split('\n').slice(1)) {
        // proc(5): sl, local, remote, state, queues, timer, retransmits, uid, timeout, inode
        const [, , remote = '', state, , , , , , inode = ''] = line.trim().split(/\s+/);
        if (state !== ESTABLISHED || !sockets.has(inode)) continue;
        const address = addressOf(remote.split(':')[0] ?? '');
        if (!isLoopback(address)) peers.add(address);
      }
  }
  return [...peers];
}

const ESTABLISHED = '01';

async function withDescendants(roots: readonly number[]): Promise<ReadonlySet<number>> {
  const children = new Map<number, number[]>();
  for (const entry of await readdir('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found = new Set(roots);
  for (const pid of found) for (const child of children.get(pid) ?? []) found.add(child);
  return found;
}

async function socketsOf(pid: number): Promise<ReadonlySet<string>> {
  const folder = `/proc/${pid}/fd`;
  const links = await Promise.all(
    (await readdir(folder).catch(() => [])).map((fd) => readlink(`${folder}/${fd}`).catch(() => '')),
  );
  return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
}

/** Words of 32 bits as this machine keeps them; an IPv4 address in an IPv6 socket is told as IPv4. */
function addressOf(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  if (littleEndian) bytes.swap32();
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  const mapped = groups.join(':').startsWith('0:0:0:0:0:ffff:');
  return mapped ? bytes.subarray(12).join('.') : groups.join(':');
}

const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function isLoopback(address: string): boolean {
  return isIP(address) === 4 ? address.startsWith('127.') : address === '0:0:0:0:0:0:0:1';
}
