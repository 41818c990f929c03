import type { Connection } from '../connection/connection.ts';
import type { Logger } from '../log/logger.ts';
import type { Clock } from './clock.ts';
import { SupervisedFacade } from './supervised-facade.ts';
import type { SupervisedForward } from './supervised-forward.ts';
import type { Supervisor } from './supervisor.ts';
import type { Traffic } from './traffic.ts';

/** How a supervised connection behaves. */
export interface SupervisedConnectionOptions {
  readonly log: Logger;
  /**
   * Milliseconds that an opening waits for a connection. 0: it fails at once while the connection is down; one that is
   * idle is dialled, and waited for as long as that attempt lasts. Default: no limit.
   */
  readonly waitMs?: number | undefined;
  /**
   * A far end that refuses a remote forward to us again, as our own dead session still listens there, has that very session
   * ended: the process that was found, by a command, when the forward was made. Only for connections that are nobody
   * else's: what else runs over that session ends with it. Default: false.
   */
  readonly evict?: boolean | undefined;
  /**
   * Others use the supervisor as well: `close()` ends what was opened here, and leaves it alone. Default: `close()` closes
   * the supervisor.
   */
  readonly shared?: boolean | undefined;
  /** What is told as long as there was no connection. Default: nothing is known, and nothing can be done. */
  readonly expected?: Partial<Pick<Connection, 'transport' | 'capabilities' | 'info'>> | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * The connection that is up, and each that comes after it, as one.
 *
 * - An opening waits for the next connection while there is none. A direct one under which the connection is lost is tried
 *   once more on the next; a session is not: its command may have run.
 * - A remote forward stands again on each connection, at the place that it got first; while the far end refuses that, it is
 *   asked again.
 * - Channels do not outlive the connection on which they were opened.
 * - `info` and `capabilities` are those of the latest connection. `closed` resolves when the supervisor has stopped.
 */
export interface SupervisedConnection extends Connection {
  readonly traffic: Traffic;
  /** The remote forwards that are wanted, and how they stand. */
  readonly forwards: readonly SupervisedForward[];
}

/** What plugins that stay get as their connection. */
export function supervisedConnection(
  supervisor: Supervisor,
  options: SupervisedConnectionOptions,
): SupervisedConnection {
  return new SupervisedFacade(supervisor, options);
}
