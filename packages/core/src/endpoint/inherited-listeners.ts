import { readFile, readlink } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { formatNearEnd, type NearEnd } from './near-end.ts';

/** A place that was listened on before this process began, and goes on when it ends: it is never closed here. */
export interface InheritedListener {
  readonly nearEnd: NearEnd;
  /** False while somebody has its clients. */
  readonly isFree: boolean;
  /** Its clients go to this from now on, those first that came before; disposing gives them back. */
  attach(onClient: (client: Socket) => void, onError: (error: Error) => void): Disposable;
}

/** Clients that wait for somebody to take the place; more are turned away. */
const MOST_WAITING = 64;

const inherited: InheritedListener[] = [];

/**
 * Takes over sockets that somebody listens on for us: socket activation, sd_listen_fds(3). From then on `listen()` on one of
 * these places uses its descriptor. Meant for the beginning of a process, whose environment says which they are.
 *
 * @param descriptors of listening stream sockets, Unix or TCP
 * @returns their places; a descriptor that is none is left out
 */
export async function inheritListeners(descriptors: readonly number[]): Promise<readonly NearEnd[]> {
  const taken: NearEnd[] = [];
  for (const fd of descriptors) {
    const path = await unixPathOf(fd);
    const listener = await adopt(fd, path).catch(() => undefined);
    if (listener === undefined) continue;
    inherited.push(listener);
    taken.push(listener.nearEnd);
  }
  return taken;
}

/** The one for a place, where there is one. */
export function inheritedFor(nearEnd: NearEnd): InheritedListener | undefined {
  const names = new Set(namesOf(nearEnd));
  return inherited.find((listener) => namesOf(listener.nearEnd).some((name) => names.has(name)));
}

async function adopt(fd: number, path: string | undefined): Promise<InheritedListener | undefined> {
  const waiting = new Set<Socket>();
  let owner: { readonly onClient: (client: Socket) => void; readonly onError: (error: Error) => void } | undefined;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    client.on('error', () => undefined);
    if (owner !== undefined) owner.onClient(client);
    else if (waiting.size >= MOST_WAITING) client.destroy();
    else {
      waiting.add(client);
      client.once('close', () => waiting.delete(client));
    }
  });
  await listening(server, fd);
  server.on('error', (error) => owner?.onError(error)).unref();
  const nearEnd = placeOf(server, path);
  if (nearEnd === undefined) return undefined;
  return {
    nearEnd,
    get isFree() {
      return owner === undefined;
    },
    attach(onClient, onError) {
      const own = { onClient, onError };
      owner = own;
      server.ref();
      for (const client of waiting) onClient(client);
      waiting.clear();
      return {
        [Symbol.dispose]: () => {
          if (owner !== own) return;
          owner = undefined;
          server.unref();
        },
      };
    },
  };
}

function listening(server: Server, fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ fd }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function placeOf(server: Server, path: string | undefined): NearEnd | undefined {
  if (path !== undefined) return { kind: 'unix', path };
  const address = server.address();
  return typeof address === 'object' && address !== null
    ? { kind: 'tcp', host: address.address, port: address.port }
    : undefined;
}

/** unix(7) sockets have their path in /proc/net/unix alone: the last column, behind the inode. */
async function unixPathOf(fd: number): Promise<string | undefined> {
  const link = await readlink(`/proc/self/fd/${fd}`).catch(() => '');
  const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1];
  if (inode === undefined) return undefined;
  const table = await readFile('/proc/net/unix', 'utf8').catch(() => '');
  const row = table.split('\n').find((line) => line.trim().split(/\s+/)[6] === inode);
  return row?.slice(row.indexOf(` ${inode} `) + inode.length + 2);
}

/** `localhost` is either loopback. */
function namesOf(nearEnd: NearEnd): readonly string[] {
  if (nearEnd.kind === 'unix' || nearEnd.host !== 'localhost') return [formatNearEnd(nearEnd)];
  return ['127.0.0.1', '::1', 'localhost'].map((host) => formatNearEnd({ ...nearEnd, host }));
}
