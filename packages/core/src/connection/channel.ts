import type { Duplex, Readable } from 'node:stream';
import type { ExitStatus } from './exit-status.ts';
import type { PtyRequest } from './session-request.ts';

/**
 * One channel (RFC 4254 §5) as a Node Duplex of bytes.
 *
 * - Backpressure is the SSH window: what is not read is not granted again. At the most 2 MiB wait here; where the window
 *   grows with what is read (ssh2), at the most 32 MiB, and 64 MiB on all channels of a connection together.
 * - Ending the writable half sends EOF and leaves the readable half open. `end` says that the far end sent EOF.
 * - `close` comes when the far end closed it and all its bytes were read (those of `stderr` not included).
 * - `destroy(error?)` closes it at once, and `close` comes at once: the far end, which may answer only when the remote
 *   command has gone, is not waited for. What was not read is dropped.
 * - A lost connection: what had arrived is still there to be read. When the last of it was taken, at once when nothing
 *   waits, the channel is destroyed with ViasshError CONNECTION_LOST. One that nobody reads waits for its `destroy()`,
 *   which then gives that same error. What is written meanwhile is dropped.
 * - An `error` nobody listens for ends no process.
 */
export interface Channel extends Duplex {
  /** The channel type as on the wire: `session`, `direct-tcpip`, `direct-streamlocal@openssh.com`. */
  readonly type: string;
}

/** A channel of type `session` after its exec, shell or subsystem request was accepted. */
export interface SessionChannel extends Channel {
  /**
   * Extended data of type 1 (§5.2). It shares the window: read it, `resume()` it or destroy it; what comes for a destroyed
   * one is dropped. With a pty nothing comes here. It ends with the channel's EOF and is destroyed with the channel; on
   * a lost connection it goes as the channel does, by itself.
   */
  readonly stderr: Readable;
  /**
   * How the remote command ended; resolves once the far end closed the channel, read or not. When it is destroyed before
   * that, settles at once: rejects with the error given to `destroy()`, without one resolves to the status known so far
   * or `missing`. Rejects at once when the connection was lost. A rejection that nobody awaits is not unhandled.
   */
  readonly exit: Promise<ExitStatus>;
  /** Asks the server to signal the remote command (§6.9): `TERM`, `INT`, … No answer comes. @throws OPTION_INVALID for a name that RFC 4254 §6.10 has not */
  sendSignal(name: string): void;
  /** Tells a new terminal size (§6.7). */
  changeWindow(size: Pick<PtyRequest, 'columns' | 'rows' | 'width' | 'height'>): void;
}
