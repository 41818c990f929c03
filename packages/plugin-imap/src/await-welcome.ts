import type { Readable } from 'node:stream';
import { abortedError, type ExitStatus, type Logger, sanitize, type StderrTail } from '@viassh/core';
import { awaitGreeting, startDeadline, unlessAborted } from './await-greeting.ts';
import { type Greeting, greetingCapabilities } from './greeting.ts';
import type { MailServer } from './mail-server.ts';
import { refusal } from './refusal.ts';

/** How long, and who is told. */
export interface WelcomeOptions {
  /** From now. */
  readonly greetingTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Gets the greeting, and the capabilities it names, as `info`. */
  readonly log: Logger;
}

/** A server that was started, or dialled: then it has no exit. */
export interface StartedServer {
  readonly output: Readable;
  readonly stderr: StderrTail;
  readonly exit: Promise<ExitStatus> | undefined;
}

/**
 * Resolves when a server greeted: as logged in, where the protocol tells that and the server is a command; in any way
 * that is no refusal where it was dialled. Its output then stands at the first byte of the greeting.
 *
 * @throws ViasshError IMAP_NOT_PREAUTH, IMAP_BYE, IMAP_NOISE, IMAP_NO_GREETING (its `cause` is a NoGreetingCause),
 * IMAP_GREETING_TIMEOUT, ABORTED, and what destroyed the output. It is the caller's to end the server then.
 */
export async function awaitWelcome(
  { output, stderr, exit }: StartedServer,
  server: MailServer,
  { greetingTimeoutMs: timeoutMs, signal, log }: WelcomeOptions,
): Promise<void> {
  const deadline = startDeadline(timeoutMs);
  try {
    const outcome = await awaitGreeting(output, server.protocol, deadline.signal, signal);
    if (outcome.kind === 'greeting' && isWelcome(outcome.greeting, server)) return sayGreeting(outcome.greeting, log);
    const ended = Promise.all([exit, stderr.ended]);
    const patience = signal === undefined ? [deadline.signal] : [deadline.signal, signal];
    const status = outcome.kind === 'ended' ? (await unlessAborted(ended, ...patience))?.[0] : undefined;
    if (signal?.aborted === true) throw abortedError(signal.reason);
    throw refusal(outcome, { server, timeoutMs, exit: status, stderr });
  } finally {
    deadline.stop();
  }
}

function isWelcome({ kind }: Greeting, { farEnd }: MailServer): boolean {
  return kind === 'preauth' || kind === 'ready' || (kind === 'not-preauth' && farEnd.kind !== 'exec');
}

function sayGreeting(greeting: Greeting, log: Logger): void {
  log.info(`greeting: ${sanitize(greeting.line.toString('utf8'))}`);
  const capabilities = greetingCapabilities(greeting);
  if (capabilities !== '') log.info(`capabilities: ${sanitize(capabilities)}`);
}
