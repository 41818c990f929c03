import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { platform } from 'node:os';
import { abortedError, ViasshError } from '@viassh/core';
import { type DisplayName, X11_PORT } from './parse-display.ts';

/** Where X servers have their sockets. */
const SOCKETS = '/tmp/.X11-unix/X';
/** Nobody is at this place: the next may be right. */
const NOBODY: ReadonlySet<string> = new Set(['ENOENT', 'ECONNREFUSED', 'ENOTDIR']);

/**
 * Connects to the X server of a display. The socket in the file system comes before the abstract one of the same name (Linux):
 * anybody may listen on that.
 *
 * @throws ViasshError DISPLAY_UNUSABLE, ABORTED or the signal's reason
 */
export async function connectDisplay(display: DisplayName, signal: AbortSignal): Promise<Socket> {
  let failure: NodeJS.ErrnoException | undefined;
  for (const place of places(display)) {
    try {
      return await dial(place, signal); // one after the other: each is only asked when nobody is at the one before
    } catch (error) {
      if (signal.aborted) throw error;
      failure ??= error as NodeJS.ErrnoException;
      if (!NOBODY.has((error as NodeJS.ErrnoException).code ?? '')) {
        failure = error as NodeJS.ErrnoException;
        break;
      }
    }
  }
  throw unreachable(display, failure);
}

function places(display: DisplayName): readonly NetConnectOpts[] {
  if (display.kind === 'tcp') return [{ host: display.host, port: X11_PORT + display.number, noDelay: true }];
  if (display.kind === 'path') return display.paths.map((path) => ({ path }));
  const path = `${SOCKETS}${display.number}`;
  return platform() === 'linux' ? [{ path }, { path: `\0${path}` }] : [{ path }];
}

async function dial(place: NetConnectOpts, signal: AbortSignal): Promise<Socket> {
  if (signal.aborted) throw abortedError(signal.reason);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ ...place, allowHalfOpen: true });
  const onAbort = (): void => {
    reject(abortedError(signal.reason));
    socket.destroy();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  socket.once('connect', resolve).on('error', reject); // stays: a late error must not end the process
  try {
    await promise;
    return socket;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'no X server listens there',
  ENOENT: 'no X server listens there',
  ENOTDIR: 'no X server listens there',
  EACCES: 'this user may not',
  EHOSTUNREACH: 'there is no way to that host',
  ENETUNREACH: 'there is no way to that host',
  ETIMEDOUT: 'it does not answer',
  ENOTFOUND: 'the name of its host has no address',
  EAI_AGAIN: 'the name of its host cannot be looked up at the moment',
};

function unreachable({ text }: DisplayName, cause: NodeJS.ErrnoException | undefined): ViasshError {
  // one error for each address of a name: the last is as good as any
  const last = cause instanceof AggregateError ? (cause.errors.at(-1) as NodeJS.ErrnoException) : cause;
  const words = reasons[last?.code ?? ''] ?? last?.message ?? 'no X server listens there';
  return new ViasshError('DISPLAY_UNUSABLE', `the display ${text} was not reached: ${words}`, {
    hint: 'DISPLAY must name a display that xdpyinfo can open from here',
    cause,
  });
}
