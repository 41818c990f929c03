import type { Readable, Writable } from 'node:stream';
import { type BridgeProgress, bridge } from './bridge.ts';
import type { SessionChannel } from './channel.ts';
import type { ExitStatus } from './exit-status.ts';
import type { PtyRequest, SessionRequest } from './session-request.ts';

/** Ends of a pipe: a stream is joined by the bridge, without one the channel's own half is the caller's to use. */
export interface PipeOptions {
  /** Bytes for the remote command; its end is the command's EOF. A string, bytes or iterable: wrap with Readable.from. */
  readonly stdin?: Readable | undefined;
  readonly stdout?: Writable | undefined;
  /** Default: dropped. */
  readonly stderr?: Writable | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly pty?: PtyRequest | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A remote command that was accepted and runs. */
export interface Pipe {
  readonly channel: SessionChannel;
  /**
   * Resolves when the command ended and every byte of it reached `stdout` and `stderr`. Rejects with ABORTED at once,
   * with CONNECTION_LOST when what had arrived was handed to `stdout` (at once without one), with STREAM_FAILED.
   */
  readonly exit: Promise<ExitStatus>;
  readonly progress: BridgeProgress;
}

/** The part of a Connection that a pipe needs. */
export interface SessionOpener {
  openSession(request: SessionRequest): Promise<SessionChannel>;
}

/**
 * Opens a session for `request` and joins its streams to the caller's. Resolves when the request was accepted.
 *
 * @throws ViasshError as Connection.openSession; `exit` rejects with CONNECTION_LOST, ABORTED or STREAM_FAILED.
 */
export async function pipe(
  connection: SessionOpener,
  request: SessionRequest,
  options: PipeOptions = {},
): Promise<Pipe> {
  const { stdin, stdout, stderr, signal } = options;
  const channel = await connection.openSession({ env: options.env, pty: options.pty, signal, ...request });
  const { done, progress } = bridge(channel, { input: stdin, output: stdout, error: stderr ?? 'drop' }, { signal });
  const exit = done.then(() => channel.exit);
  exit.catch(() => undefined); // a caller that only streams is not forced to look at it
  return { channel, exit, progress };
}
