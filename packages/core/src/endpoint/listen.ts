import type { Stats } from 'node:fs';
import { chmod, lstat, mkdtemp, rename, rm, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { abortedError, ViasshError } from '../errors/viassh-error.ts';
import { descriptorRoom } from './descriptor-room.ts';
import { type InheritedListener, inheritedFor } from './inherited-listeners.ts';
import { formatNearEnd, LONGEST_PATH, type NearEnd } from './near-end.ts';

/** A near end that takes clients. */
export interface NearListener extends AsyncDisposable {
  /** With the port that was chosen, where 0 was asked for. */
  readonly nearEnd: NearEnd;
  /** Takes no more clients, removes the socket; those that are connected stay. A second call waits for the first. */
  close(): Promise<void>;
}

/** How to listen. */
export interface ListenOptions {
  /** Until it listens. */
  readonly signal?: AbortSignal | undefined;
  /**
   * A client found no descriptor left for it, and was closed. `again`: so was one before it, and no room was made since.
   */
  readonly onTurnedAway?: ((error: ViasshError, again: boolean) => void) | undefined;
}

/**
 * Listens on a near end; `onClient` gets each client, half-open allowed, with its errors its own to handle (one that
 * nobody handles ends no process). A Unix socket is for its owner alone (0600) from its first moment on; one that
 * nobody listens on any more is replaced. A place of {@link inheritListeners} is used as it is.
 *
 * @throws ViasshError LISTEN_FAILED, ABORTED
 */
export async function listen(
  nearEnd: NearEnd,
  onClient: (client: Socket) => void,
  { signal, onTurnedAway }: ListenOptions = {},
): Promise<NearListener> {
  const room = await descriptorRoom();
  if (signal?.aborted === true) throw abortedError(signal.reason);
  const turnAway = (cause?: Error): void => {
    const { error, again } = room.turnAway(formatNearEnd(nearEnd), cause);
    onTurnedAway?.(error, again);
  };
  const serve = (client: Socket): void => {
    client.on('error', () => undefined);
    if (!room.enter()) {
      client.destroy();
      turnAway();
      return;
    }
    client.once('close', room.leave);
    onClient(client);
  };
  const inherited = inheritedFor(nearEnd);
  if (inherited?.isFree === true) return useInherited(inherited, serve, turnAway);
  const server = createServer({ allowHalfOpen: true, noDelay: true }, serve);
  let own: Stats | undefined;
  try {
    if (nearEnd.kind === 'unix') own = await listenPrivately(server, nearEnd.path);
    else await listening(server, { host: nearEnd.host, port: nearEnd.port });
  } catch (error) {
    throw listenFailed(nearEnd, error);
  }
  server.on('error', turnAway); // of accept(2): the next client may be luckier
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= closeServer(server, nearEnd, own));
  return { nearEnd: actual(server, nearEnd), close, [Symbol.asyncDispose]: close };
}

/** Closing gives it back: whoever listens there for us goes on, and the socket stays. */
function useInherited(
  inherited: InheritedListener,
  onClient: (client: Socket) => void,
  onError: (error: Error) => void,
): NearListener {
  const attached = inherited.attach(onClient, onError);
  const close = async (): Promise<void> => attached[Symbol.dispose]();
  return { nearEnd: inherited.nearEnd, close, [Symbol.asyncDispose]: close };
}

/** The socket is made in a folder that nobody else can enter, and moved to its place when it is private itself. */
async function listenPrivately(server: Server, path: string): Promise<Stats> {
  await refuseLiveSocket(path);
  const folder = await mkdtemp(join(dirname(path), '.v'));
  try {
    const made = join(folder, 's');
    if (Buffer.byteLength(made) > LONGEST_PATH) throw Object.assign(new Error('too long'), { code: 'ENAMETOOLONG' });
    await listening(server, { path: made });
    await chmod(made, 0o600);
    const own = await lstat(made);
    await rename(made, path);
    return own;
  } catch (error) {
    server.close();
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function refuseLiveSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket()) throw Object.assign(new Error(`${basename(path)} is there and no socket`), { code: 'EEXIST' });
  const alive = await new Promise<boolean>((resolve) => {
    const probe = connect(path);
    probe
      .once('connect', () => {
        probe.destroy();
        resolve(true);
      })
      .once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
  });
  if (alive) throw Object.assign(new Error('another program listens there'), { code: 'EADDRINUSE' });
}

function listening(server: Server, where: { host: string; port: number } | { path: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function actual(server: Server, nearEnd: NearEnd): NearEnd {
  const address = server.address();
  if (nearEnd.kind === 'unix' || typeof address !== 'object' || address === null) return nearEnd;
  return { ...nearEnd, port: address.port };
}

async function closeServer(server: Server, nearEnd: NearEnd, own: Stats | undefined): Promise<void> {
  server.close(); // its `close` waits for the clients, which are not ours
  if (nearEnd.kind !== 'unix') return;
  const found = await lstat(nearEnd.path).catch(() => undefined);
  // Somebody may have taken ours away and listen there now.
  if (found?.ino === own?.ino && found?.dev === own?.dev) await unlink(nearEnd.path).catch(() => undefined);
}

const explanations: Readonly<Record<string, readonly [reason: string, hint: string]>> = {
  EADDRINUSE: [
    'another program listens there',
    'end it, or take another place; a port from 32768 on may also be held, for a minute, by a connection that has ended',
  ],
  EEXIST: ['a file of that name is there, and it is no socket', 'take another name; nothing was changed'],
  EACCES: [
    'this user may not',
    'ports below 1024 are for root (net.ipv4.ip_unprivileged_port_start): take another one; a socket wants a folder of your own',
  ],
  EADDRNOTAVAIL: ['this machine has no such address', 'take one of its own addresses, or 127.0.0.1'],
  ENOENT: ['there is no such folder', 'make the folder first, for you alone (mkdir -m 700)'],
  ENAMETOOLONG: [
    'the path is too long for a socket',
    'take a shorter one, e.g. below $XDG_RUNTIME_DIR, or a relative one',
  ],
  ENOTFOUND: ['the host name has no address', 'take an address of this machine, or 127.0.0.1'],
};

function listenFailed(nearEnd: NearEnd, cause: unknown): ViasshError {
  const { code = '', message } = cause as NodeJS.ErrnoException;
  const [reason, hint] = explanations[code] ?? [message, 'take another place'];
  return new ViasshError('LISTEN_FAILED', `cannot listen on ${formatNearEnd(nearEnd)}: ${reason}`, { hint, cause });
}
