import { abortedError, type Connection, isViasshError, type Logger } from '@viassh/core';
import type { LeaseConnectionOptions } from '../lease/client/lease-connection.ts';
import { leaseConnection } from '../lease/client/take-lease.ts';
import { failureOf, openControl } from './ask-broker.ts';
import type { LeaseRequest } from './requests.ts';

/** How to ask for a lease. */
export interface LeaseOptions extends LeaseConnectionOptions {
  /** Called when no broker runs, be its socket there or not. */
  readonly onAbsent?: (() => void) | undefined;
  /** Told why there is none, where a broker runs. */
  readonly log: Pick<Logger, 'info'>;
}

/**
 * A connection that the broker lends, or undefined: the caller connects itself then. Closing it gives it back, and ends
 * what was opened on it. Where no broker runs this costs one look at a file.
 *
 * @throws ViasshError ABORTED
 */
export async function leaseFromBroker(
  socketPath: string,
  request: LeaseRequest,
  { signal, sessionEnv, onAbsent, log }: LeaseOptions,
): Promise<Connection | undefined> {
  try {
    const { answer, socket } = await openControl(socketPath, request, { signal });
    if (answer.ok) return await leaseConnection(socket, { signal, sessionEnv });
    socket.destroy();
    throw failureOf(answer);
  } catch (error) {
    if (signal?.aborted === true) throw abortedError(signal.reason);
    if (!isViasshError(error)) throw error;
    if (isViasshError(error, 'BROKER_ABSENT') && error.cause !== undefined) onAbsent?.();
    else log.info(`the broker lends nothing: ${error.message} (${error.code})`);
    return undefined;
  }
}
