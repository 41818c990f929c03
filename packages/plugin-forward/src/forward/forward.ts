import type { NearEnd, Originator, RemoteAddress, ViasshError } from '@viassh/core';
import type { ForwardSpec } from '../spec/forward-spec.ts';

/** What passed through a forward so far; numbers of connections, and of bytes. */
export interface ForwardCounters {
  readonly accepted: number;
  /** At the moment. */
  readonly open: number;
  /** That got no channel, no target, or no descriptor; or went away before. */
  readonly refused: number;
  /** From the side that listens to the target. */
  readonly sent: number;
  readonly received: number;
}

/** One connection through a forward. */
export interface ForwardedConnection {
  /** Unique within its forward. */
  readonly id: number;
  /** Who connected; undefined where the transport cannot tell, and for Unix sockets. */
  readonly originator?: Originator | undefined;
  /** `host:port`, or a path: where it goes. */
  readonly destination: string;
  /** Milliseconds of `performance.now()`. */
  readonly since: number;
  readonly sent: number;
  readonly received: number;
}

/** What happens in a forward. */
export type ForwardEvent =
  | { readonly kind: 'opened'; readonly connection: ForwardedConnection }
  | { readonly kind: 'closed'; readonly connection: ForwardedConnection; readonly error?: ViasshError | undefined }
  /** Also, once for many in a row, for those that found no descriptor left (TOO_MANY_CLIENTS). */
  | { readonly kind: 'refused'; readonly originator?: Originator | undefined; readonly error: ViasshError };

/** A forward that stands, until its `close()` or the end of its connection. */
export interface Forward extends AsyncDisposable {
  readonly spec: ForwardSpec;
  /** Where it listens, with the port that was chosen: on this machine, or on the far end. */
  readonly address: NearEnd | RemoteAddress;
  /** As of now: each look takes a walk through what is open. */
  readonly counters: ForwardCounters;
  /** Those that are open. */
  connections(): readonly ForwardedConnection[];
  /** Listens no more and ends its connections, at once, or when they have not ended by themselves after `drainMs`. A second call waits for the first. */
  close(options?: { readonly drainMs?: number | undefined }): Promise<void>;
  /** Resolves when it listens no more; never rejects. */
  readonly closed: Promise<void>;
}

/** What forwards of every kind take. */
export interface ForwardOptions {
  /** Until it stands. */
  readonly signal?: AbortSignal | undefined;
  /** What it throws is ignored. */
  readonly onEvent?: ((event: ForwardEvent) => void) | undefined;
}
