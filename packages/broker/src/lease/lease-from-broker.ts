import { type Connection, isViasshError, type Logger, toViasshError } from '@viassh/core';
import { openControl } from '../control/ask-broker.ts';
import type { LeaseRequest } from '../control/requests.ts';
import { leaseConnection } from './client/lease-connection.ts';

/** How to ask for a lease. */
export interface LeaseOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told why there is none, where a broker runs. */
  readonly log: Logger;
}

/**
 * A connection of the broker's, where one runs and lends it; undefined: the caller connects itself. Where no broker is, that
 * costs one look at a file. What keeps the broker from having it may not keep the caller: it can ask for a password.
 *
 * @throws ViasshError ABORTED or the signal's own reason
 */
export async function leaseFromBroker(
  socketPath: string,
  request: Omit<LeaseRequest, 'ask'>,
  { signal, log }: LeaseOptions,
): Promise<Connection | undefined> {
  try {
    const { answer, socket } = await openControl(socketPath, { ask: 'lease', ...request }, { signal });
    if (answer.ok) return await leaseConnection(socket, { signal });
    socket.destroy();
    log.info(`the broker lends no connection: ${answer.message} (${answer.code})`);
  } catch (error) {
    if (signal?.aborted === true) throw error;
    if (!isViasshError(error, 'BROKER_ABSENT'))
      log.warning(`no connection of the broker: ${toViasshError(error).message}`);
  }
  return undefined;
}
