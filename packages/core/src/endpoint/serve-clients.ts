import type { Socket } from 'node:net';
import { bridge } from '../connection/bridge.ts';
import type { Channel } from '../connection/channel.ts';
import type { Connection } from '../connection/connection.ts';
import { abortedError, toViasshError, ViasshError } from '../errors/viassh-error.ts';
import type { Logger } from '../log/logger.ts';
import { leave } from './leave.ts';
import { listen } from './listen.ts';
import { formatNearEnd, type NearEnd } from './near-end.ts';

/** How clients are served. */
export interface ServeOptions {
  /** Ends the listener and every client. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Once it listens; with the port that was chosen. */
  readonly onListening: (nearEnd: NearEnd) => void;
  /** May turn a client away before a channel is opened for it: throws. */
  readonly admit?: (client: Socket) => Promise<void>;
  /** The last word to a client that gets no channel, and to no other; the socket is closed behind it. Default: none. */
  readonly farewell?: (error: ViasshError) => string;
}

/**
 * Serves each client of a near end a channel of its own, until the signal aborts or the connection ends. EOF goes both
 * ways, as with a forward of ssh. One client's failure is a log line and nobody else's.
 *
 * @throws ViasshError LISTEN_FAILED, CONNECTION_LOST, CONNECTION_CLOSED, ABORTED
 */
export async function serveClients(
  connection: Pick<Connection, 'closed'>,
  nearEnd: NearEnd,
  openChannel: (signal: AbortSignal) => Promise<Channel>,
  { signal, log, onListening, admit, farewell }: ServeOptions,
): Promise<never> {
  const clients = new Set<Promise<void>>();
  const hinted = new Set<string>(); // codes: one hint is enough for all clients
  const all = new AbortController();
  const ending = AbortSignal.any([signal, all.signal]);
  const serve = async (client: Socket): Promise<void> => {
    const gone = new AbortController();
    client.once('close', () => gone.abort());
    let channel: Channel | undefined;
    let lastWord = '';
    try {
      await admit?.(client);
      channel = await openChannel(AbortSignal.any([ending, gone.signal]));
      channel.once('end', () => client.end());
      await bridge(channel, { input: client, output: client, error: 'drop' }, { signal: ending }).done;
    } catch (error) {
      const failure = toViasshError(error);
      if (gone.signal.aborted) log.info(`a client went away: ${failure.message}`);
      else if (signal.aborted) log.info('a client was let go');
      else if (channel !== undefined) log.warning(`a client was cut off: ${failure.message} (${failure.code})`);
      else if (!ending.aborted) {
        const hint = hinted.has(failure.code) || failure.hint === undefined ? '' : `; ${failure.hint}`;
        hinted.add(failure.code);
        log.warning(`a client was not served: ${failure.message} (${failure.code})${hint}`);
        lastWord = farewell?.(failure) ?? '';
      }
    }
    await leave(client, { lastWord, signal: ending });
  };
  await using listener = await listen(
    nearEnd,
    (client) => {
      const served = serve(client).finally(() => clients.delete(served));
      clients.add(served);
    },
    {
      signal,
      onTurnedAway: ({ message, code, hint }, again) => {
        if (!again) log.warning(`${message} (${code}); ${hint}`);
      },
    },
  );
  onListening(listener.nearEnd);
  log.info(`listening on ${formatNearEnd(listener.nearEnd)}`);
  try {
    throw await untilEnd(connection, signal);
  } finally {
    await listener.close();
    all.abort();
    await Promise.all(clients);
  }
}

async function untilEnd({ closed }: Pick<Connection, 'closed'>, signal: AbortSignal): Promise<ViasshError> {
  let stop: (() => void) | undefined;
  const aborted = new Promise<ViasshError>((resolve) => {
    const onAbort = (): void => resolve(abortedError(signal.reason));
    stop = () => signal.removeEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    const lost = closed.then((reason) => (reason.kind === 'lost' ? reason.error : wasClosed()));
    return await Promise.race([aborted, lost]);
  } finally {
    stop?.();
  }
}

function wasClosed(): ViasshError {
  return new ViasshError('CONNECTION_CLOSED', 'the connection of the listener was closed');
}
