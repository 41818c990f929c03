import type { Connection, SessionChannel } from '@viassh/core';
import { type ImapOverOptions, loadImap } from '../builtin.ts';

/**
 * Starts the IMAP server of the far end and resolves when it greeted as logged in (PREAUTH). The channel stands at the
 * first byte of that greeting: hand it to an IMAP client as its socket.
 *
 * @throws ViasshError IMAP_NOT_PREAUTH, IMAP_BYE, IMAP_NOISE, IMAP_NO_GREETING, IMAP_GREETING_TIMEOUT, ABORTED,
 * CONNECTION_LOST, and those of Connection.openSession. The channel is then closed.
 */
export async function imapOver(
  connection: Pick<Connection, 'openSession'>,
  options?: ImapOverOptions,
): Promise<SessionChannel> {
  return await (await loadImap()).imapOver(connection, options);
}
