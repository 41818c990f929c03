import type { Capability } from './capability.ts';
import type { ViasshError } from '../errors/viassh-error.ts';
import type { Channel, SessionChannel } from './channel.ts';
import type { PipeOptions, Pipe } from './pipe.ts';
import type { SessionRequest } from './session-request.ts';

/** What is known of a connection; a field is undefined where the transport cannot tell. */
export interface ConnectionInfo {
  /** `user@host:port` of the last hop, as dialled. */
  readonly peer: string;
  /** The server's identification string, RFC 4253 §4.2. */
  readonly serverVersion?: string | undefined;
  /** `ssh-ed25519 SHA256:…` */
  readonly hostKey?: string | undefined;
  readonly kex?: string | undefined;
  /** Client to server. */
  readonly cipher?: string | undefined;
  /** The method that logged us in: `publickey`, `password`, … */
  readonly authenticatedBy?: string | undefined;
}

/** Where a direct-tcpip channel goes, RFC 4254 §7.2. Names are resolved on the far end. */
export interface TcpipTarget {
  readonly host: string;
  readonly port: number;
  readonly originatorAddress?: string | undefined;
  readonly originatorPort?: number | undefined;
}

/** Why a connection ended: `closed` by us, or `lost` with the reason. */
export type CloseReason = { readonly kind: 'closed' } | { readonly kind: 'lost'; readonly error: ViasshError };

/** How to close. */
export interface CloseOptions {
  /**
   * Milliseconds to let open channels finish; then, or without it at once, they are closed. A destroyed channel is not
   * waited for, whatever still runs behind it on the far end.
   */
  readonly drainMs?: number | undefined;
}

/** One authenticated SSH connection (RFC 4254). Opening after the end rejects with CONNECTION_LOST or CONNECTION_CLOSED. */
export interface Connection extends AsyncDisposable {
  /** The name of the transport that made it. */
  readonly transport: string;
  readonly capabilities: ReadonlySet<Capability>;
  readonly info: ConnectionInfo;
  /**
   * Opens a session channel and sends env, pty and the request; resolves when the server accepted it.
   *
   * @throws ViasshError CHANNEL_REFUSED, REQUEST_REFUSED, CONNECTION_LOST, CONNECTION_CLOSED, ABORTED
   */
  openSession(request: SessionRequest): Promise<SessionChannel>;
  /** @throws ViasshError CHANNEL_REFUSED, CONNECTION_LOST, CONNECTION_CLOSED, ABORTED */
  openDirectTcpip(target: TcpipTarget, options?: { readonly signal?: AbortSignal | undefined }): Promise<Channel>;
  /** To a Unix socket of the far end (OpenSSH's PROTOCOL, §2.4). @throws as {@link openDirectTcpip} */
  openDirectStreamlocal(path: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<Channel>;
  /** {@link openSession} with an exec request, and its streams joined to the caller's: see `pipe()`. */
  pipe(command: string, options?: PipeOptions): Promise<Pipe>;
  /** Resolves once, when the connection ended; never rejects. */
  readonly closed: Promise<CloseReason>;
  /**
   * Ends the connection and all that belongs to it; resolves when nothing is left. From the call on nothing more is
   * opened (CONNECTION_CLOSED), also while it drains. A second call waits for the first.
   */
  close(options?: CloseOptions): Promise<void>;
}
