import { abortedError, type Connection, type Logger, type SessionChannel, sanitize, silentLogger } from '@viassh/core';
import { awaitGreeting, startDeadline, unlessAborted } from './await-greeting.ts';
import { refusal } from './refusal.ts';
import { watchStderr } from './stderr-tail.ts';

/** What runs when no command is named. */
export const DEFAULT_IMAP_COMMAND = 'imapd';

/** How to reach the mailbox. */
export interface ImapOverOptions {
  /** For the far end's shell, sent unaltered. It must speak IMAP on stdio, already authenticated. Default `imapd`. */
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
  options: ImapOverOptions = {},
): Promise<SessionChannel> {
  const { command = DEFAULT_IMAP_COMMAND, greetingTimeoutMs: timeoutMs = 30_000, signal, log = silentLogger } = options;
  const channel = await connection.openSession({ kind: 'exec', command, signal });
  channel.on('error', () => undefined);
  channel.exit.catch(() => undefined);
  const stderr = watchStderr(channel.stderr, log);
  const deadline = startDeadline(timeoutMs);
  try {
    const outcome = await awaitGreeting(channel, deadline.signal, signal);
    if (outcome.kind === 'greeting' && outcome.greeting.kind === 'preauth') {
      log.info(`greeting: ${sanitize(outcome.greeting.line.toString('utf8'))}`);
      return channel;
    }
    const ended = Promise.all([channel.exit, stderr.ended]);
    const patience = signal === undefined ? [deadline.signal] : [deadline.signal, signal];
    const exit = outcome.kind === 'ended' ? (await unlessAborted(ended, ...patience))?.[0] : undefined;
    if (signal?.aborted === true) throw abortedError(signal.reason);
    throw refusal(outcome, { command, timeoutMs, exit, stderr });
  } catch (error) {
    channel.destroy();
    throw error;
  } finally {
    deadline.stop();
  }
}
