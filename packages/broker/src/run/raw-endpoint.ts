import {
  admitOwnUser,
  type Connection,
  formatNearEnd,
  type Logger,
  type NearEnd,
  serveClients,
  watchStderr,
} from '@viassh/core';

/** A place of this machine, each of whose clients gets a run of one command. */
export interface RawEndpoint {
  readonly nearEnd: NearEnd;
  /** For the shell of the far end. */
  readonly command: string;
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly onListening: (place: string) => void;
}

/**
 * Serves it until the signal aborts or the connection ends. What the command says on stderr goes to the log. On TCP,
 * clients of other users of this machine are turned away.
 *
 * @throws ViasshError LISTEN_FAILED, CONNECTION_LOST, CONNECTION_CLOSED, ABORTED
 */
export async function serveRawEndpoint(
  connection: Connection,
  { nearEnd, command, signal, log, onListening }: RawEndpoint,
): Promise<never> {
  return await serveClients(
    connection,
    nearEnd,
    async (gone) => {
      const channel = await connection.openSession({ kind: 'exec', command, signal: gone });
      watchStderr(channel.stderr, 'the far end', log);
      return channel;
    },
    {
      signal,
      log,
      onListening: (actual) => onListening(formatNearEnd(actual)),
      ...(nearEnd.kind === 'tcp' ? { admit: admitOwnUser(log) } : {}),
    },
  );
}
