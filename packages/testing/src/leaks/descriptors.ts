import { readdir, readFile, readlink } from 'node:fs/promises';

/**
 * The open descriptors of this process, one line each: number and what it is, sockets by their inode. The event loop's
 * own (epoll, eventfd, io_uring, and the /dev/null that it keeps in reserve) are left out: they come when they are
 * first needed, and stay.
 */
export async function openDescriptors(): Promise<string[]> {
  const numbers = await readdir('/proc/self/fd');
  const lines = await Promise.all(
    numbers.map(async (number) => {
      const link = await readlink(`/proc/self/fd/${number}`).catch(() => undefined); // the listing's own is gone again
      if (link === undefined || /^(anon_inode:.*|\/dev\/null|\/proc\/\d+\/fd)$/.test(link)) return undefined;
      return `descriptor ${number}: ${link}`;
    }),
  );
  return lines.filter((line) => line !== undefined);
}

/** The lines with addresses for the sockets among them. Slow: the kernel walks through all connections of the machine. */
export async function nameSockets(lines: readonly string[]): Promise<string[]> {
  const named = /socket:\[(\d+)\]$/;
  if (!lines.some((line) => named.test(line))) return [...lines];
  const sockets = await describeSockets();
  return lines.map((line) =>
    line.replace(named, (_, inode: string) => `${sockets.get(inode) ?? 'socket'} (inode ${inode})`),
  );
}

/** What /proc/net says of sockets, by inode. */
async function describeSockets(): Promise<Map<string, string>> {
  const tables = ['tcp', 'tcp6', 'unix'].map(async (table) => {
    const rows = (await readFile(`/proc/self/net/${table}`, 'utf8').catch(() => '')).trim().split('\n').slice(1);
    return rows.map((row) =>
      table === 'unix' ? unixSocket(row.trim().split(/\s+/)) : tcpSocket(row.trim().split(/\s+/)),
    );
  });
  return new Map((await Promise.all(tables)).flat());
}

/** `sl local remote state … inode`; state 0A is LISTEN. */
function tcpSocket([, local = '', remote = '', state, , , , , , inode = '']: string[]): [string, string] {
  const words =
    state === '0A' ? `listening TCP socket, port ${port(local)}` : `TCP socket, port ${port(local)} to ${port(remote)}`;
  return [inode, words];
}

/** `Num RefCount Protocol Flags Type St Inode Path`; flag 0x10000 is a listener's. */
function unixSocket([, , , flags = '', , , inode = '', path]: string[]): [string, string] {
  const listening = (Number.parseInt(flags, 16) & 0x10000) !== 0;
  return [inode, `${listening ? 'listening ' : ''}Unix socket${path === undefined ? '' : ` ${path}`}`];
}

/** The hexadecimal number after the last colon. */
function port(address: string): number {
  return Number.parseInt(address.slice(address.lastIndexOf(':') + 1), 16);
}
