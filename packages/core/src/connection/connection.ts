import type { Capability } from './capability.ts';
import type { ViasshError } from '../errors/viassh-error.ts';
import type { Channel, SessionChannel } from './channel.ts';
import type { ConnectionInfo } from './connection-info.ts';
import type { IncomingChannelHandler, IncomingChannelType } from './incoming-channel.ts';
import type { PacketChannel, TunRequest } from './packet-channel.ts';
import type { PipeOptions, Pipe } from './pipe.ts';
import type { RemoteForwardRequest, RemoteListener } from './remote-forward.ts';
import type { SessionRequest } from './session-request.ts';

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
   * @throws ViasshError CHANNEL_REFUSED, REQUEST_REFUSED, X11_REFUSED, CONNECTION_LOST, CONNECTION_CLOSED, ABORTED
   */
  openSession(request: SessionRequest): Promise<SessionChannel>;
  /** @throws ViasshError CHANNEL_REFUSED, CONNECTION_LOST, CONNECTION_CLOSED, ABORTED */
  openDirectTcpip(target: TcpipTarget, options?: { readonly signal?: AbortSignal | undefined }): Promise<Channel>;
  /** To a Unix socket of the far end (OpenSSH's PROTOCOL, §2.4). @throws as {@link openDirectTcpip} */
  openDirectStreamlocal(path: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<Channel>;
  /**
   * A tun device of the far end.
   *
   * @throws ViasshError CHANNEL_REFUSED, CAPABILITY_MISSING, CONNECTION_LOST, CONNECTION_CLOSED, ABORTED, OPTION_INVALID
   */
  openTun(request: TunRequest): Promise<PacketChannel>;
  /**
   * Has the far end listen; `handler` gets each connection that is made there, from before this resolves on.
   *
   * @throws ViasshError FORWARD_REFUSED, CONNECTION_LOST, CONNECTION_CLOSED, ABORTED, OPTION_INVALID
   */
  requestForward(
    request: RemoteForwardRequest,
    handler: IncomingChannelHandler,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<RemoteListener>;
  /**
   * Takes the channels of one kind that the server opens by itself; refused when nobody takes them. One handler for each
   * kind. Disposing of what it returns gives the kind back.
   *
   * @throws ViasshError CAPABILITY_MISSING, OPTION_INVALID when the kind is taken
   */
  onIncomingChannel(type: IncomingChannelType, handler: IncomingChannelHandler): Disposable;
  /**
   * The round trip to the server and back, milliseconds; undefined where the server leaves no way to measure it.
   *
   * @throws ViasshError CONNECTION_LOST, CONNECTION_CLOSED, ABORTED
   */
  ping(options?: { readonly signal?: AbortSignal | undefined }): Promise<number | undefined>;
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
