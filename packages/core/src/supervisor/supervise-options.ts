import type { Logger } from '../log/logger.ts';
import type { BackoffOptions } from './backoff.ts';
import type { Clock } from './clock.ts';
import type { NetworkWatch } from './watch-network.ts';

/** How a connection is kept up. Times in milliseconds. */
export interface SuperviseOptions {
  /** Each change of state is one line: attempt, delay, code. */
  readonly log: Logger;
  readonly clock?: Clock | undefined;
  /** From 0 up to, not including, 1. */
  readonly random?: (() => number) | undefined;
  /** Ends everything at once. */
  readonly signal?: AbortSignal | undefined;
  /** A transient failure is retried also when the connection was never up. Default: false. */
  readonly keepTrying?: boolean | undefined;
  /** Nothing is dialled until somebody asks; when it is lost while nobody uses it, nothing either. Default: false. */
  readonly lazy?: boolean | undefined;
  /** Closed after so long without a hold and without anybody who waits; the next who asks begins anew. Default: never. */
  readonly idleMs?: number | undefined;
  readonly backoff?: Partial<BackoffOptions> | undefined;
  /**
   * False: silence never ends the connection, and a link that comes back after any time goes on. Default: true, it is
   * probed after a wake and when an address or a route is gone.
   */
  readonly probe?: boolean | undefined;
  /** Default: the addresses and routes of this machine, looked at once a second; share one among many supervisors. */
  readonly watchNetwork?: NetworkWatch | undefined;
  /** A connection lost sooner counts as one that was never up (AUTOSSH_GATETIME). Default: 0. */
  readonly gateMs?: number | undefined;
  /** So many attempts in all (AUTOSSH_MAXSTART). Default: no limit. */
  readonly maxStarts?: number | undefined;
  /** Closed for good so long after the beginning (AUTOSSH_MAXLIFETIME). Default: never. */
  readonly maxLifetimeMs?: number | undefined;
  /** Probed so often while it is up (AUTOSSH_POLL). Default: never; keepalives are the transport's. */
  readonly pollMs?: number | undefined;
  /** The first of these (AUTOSSH_FIRST_POLL). Default: pollMs. */
  readonly firstPollMs?: number | undefined;
}
