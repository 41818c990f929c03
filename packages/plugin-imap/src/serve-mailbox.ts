import {
  admitOwnUser,
  announceNearEnd,
  type Connection,
  type LocalContext,
  type NearEnd,
  serveClients,
  type ViasshError,
} from '@viassh/core';
import type { MailServer } from './mail-server.ts';
import { openMailbox } from './open-mailbox.ts';

/**
 * Serves each client of a near end a session of its own. Says on the output where it listens. Where a session is one
 * that is logged in already, clients of other users of this machine are turned away.
 *
 * @throws ViasshError those of serveClients
 */
export async function serveMailbox(
  connection: Connection,
  server: MailServer,
  nearEnd: NearEnd,
  { stdio, signal, log, json, ready }: LocalContext,
  greetingTimeoutMs: number,
): Promise<never> {
  return await serveClients(
    connection,
    nearEnd,
    (gone) => openMailbox(connection, server, { greetingTimeoutMs, signal: gone, log }),
    {
      signal,
      log,
      onListening: (actual) => {
        stdio.output.write(announceNearEnd(actual, json));
        ready();
      },
      farewell: (failure) => server.protocol.farewell(reasonFor(failure)),
      ...(server.farEnd.kind === 'exec' && nearEnd.kind === 'tcp' ? { admit: admitOwnUser(log) } : {}),
    },
  );
}

/** ASCII, as the protocols' own texts; one line, as every message is. */
function reasonFor({ code, message }: ViasshError): string {
  return `viassh: ${message.replaceAll(/[^\x20-\x7e]/g, '?')} (${code})`;
}
