import type { IncomingChannelHandler, RemoteForwardRequest, RemoteListener, ViasshError } from '@viassh/core';

/** The remote forwards of one master. */
export interface Forwards {
  /** Forwards stand, are being asked for, or have channels: the master cannot be left. */
  readonly areUsed: boolean;
  /** @throws as {@link Connection.requestForward} */
  request(
    request: RemoteForwardRequest,
    handler: IncomingChannelHandler,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<RemoteListener>;
  /** From now on none is granted; what stands goes on. */
  refuse(error: ViasshError): void;
  /** Resolves when no channel that came through one is left, and what was written to them is with the server. */
  idle(): Promise<void>;
  /** Ends all: quietly when we closed the connection, with the error when it was lost. Resolves when nothing is left. */
  end(error: ViasshError, lost: boolean): Promise<void>;
}
