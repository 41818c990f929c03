import type { Duplex, Readable } from 'node:stream';
import type { ExitStatus } from './exit-status.ts';
import type { PtyRequest } from './session-request.ts';

/**
 * One channel (RFC 4254 §5) as a Node Duplex of bytes.
 *
 * - Backpressure is the SSH window: what is not read is not granted again, at the most 2 MiB wait here.
 * - Ending the writable half sends EOF and leaves the readable half open. `end` says that the far end sent EOF.
 * - `destroy()` closes the channel at once. `close` comes when it is closed and all its bytes were read
 *   (those of `stderr` not included).
 * - A lost connection destroys it with ViasshError CONNECTION_LOST. That `error` nobody listens for ends no process.
 */
export interface Channel extends Duplex {
  /** The channel type as on the wire: `session`, `direct-tcpip`, `direct-streamlocal@openssh.com`. */
  readonly type: string;
}

/** A channel of type `session` after its exec, shell or subsystem request was accepted. */
export interface SessionChannel extends Channel {
  /** Extended data of type 1 (§5.2). It shares the window: read it or `resume()` it. With a pty nothing comes here. */
  readonly stderr: Readable;
  /** How the remote command ended; resolves once the channel is closed, rejects only when the connection was lost (a rejection that nobody awaits is not unhandled). */
  readonly exit: Promise<ExitStatus>;
  /** Asks the server to signal the remote command (§6.9): `TERM`, `INT`, … No answer comes. @throws OPTION_INVALID for a name that RFC 4254 §6.10 has not */
  sendSignal(name: string): void;
  /** Tells a new terminal size (§6.7). */
  changeWindow(size: Pick<PtyRequest, 'columns' | 'rows' | 'width' | 'height'>): void;
}
