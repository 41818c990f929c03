import { type Connection, type Logger, type SessionChannel, silentLogger } from '@viassh/core';
import { commandOf, mailServerOf } from './mail-server.ts';
import { greeted } from './open-mailbox.ts';

/** How to reach the mailbox. */
export interface ImapOverOptions {
  /**
   * For the far end's shell, sent unaltered. It must speak IMAP on stdio, already authenticated. Default: the first that
   * is there of the servers that do, `imapd` and Dovecot's among them.
   */
  readonly command?: string | undefined;
  /** How long the greeting may take, from the moment the command was accepted. Default 30 s. */
  readonly greetingTimeoutMs?: number | undefined;
  /** Until the greeting; after it the channel is the caller's. */
  readonly signal?: AbortSignal | undefined;
  /** Gets the greeting and the far end's stderr as `info`. */
  readonly log?: Logger | undefined;
}

/**
 * Starts the remote IMAP server and resolves when it greeted with PREAUTH. The channel then stands at the first byte of
 * that greeting: hand it to an IMAP client as its socket. Its stderr is read here; an error of the channel is also told
 * by `close` and by `exit`, so one that nobody listens to does not end the process.
 *
 * @throws ViasshError IMAP_NOT_PREAUTH, IMAP_BYE, IMAP_NOISE, IMAP_NO_GREETING (its `cause` is a NoGreetingCause),
 * IMAP_GREETING_TIMEOUT, ABORTED, CONNECTION_LOST, and those of Connection.openSession. The channel is then closed.
 */
export async function imapOver(
  connection: Pick<Connection, 'openSession'>,
  { command, greetingTimeoutMs = 30_000, signal, log = silentLogger }: ImapOverOptions = {},
): Promise<SessionChannel> {
  const server = mailServerOf({ protocol: 'imap', command, words: [], to: undefined });
  const channel = await connection.openSession({ kind: 'exec', command: commandOf(server), signal });
  return await greeted(channel, server, { greetingTimeoutMs, signal, log });
}
