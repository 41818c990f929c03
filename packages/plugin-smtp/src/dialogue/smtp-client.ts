import type { Duplex } from 'node:stream';
import { type Logger, sanitize, silentLogger, ViasshError } from '@viassh/core';
import type { DeliveryResult, Envelope, SmtpReply } from './delivery.ts';
import { deliverOver } from './deliver.ts';
import type { Extensions } from './parameters.ts';
import { describeReply } from './reply-parser.ts';
import { ReplyQueue } from './reply-queue.ts';

/** How a session is held. */
export interface SmtpOptions {
  /** Ours, for EHLO: a host name, or an address in brackets (RFC 5321 §4.1.3). */
  readonly name: string;
  /** Ends the session. One that comes while a complete message waits for its answer is put off for `patienceMs`. */
  readonly signal?: AbortSignal | undefined;
  /** How long each answer may take; the one to a complete message twice that. Default: 300 s, RFC 5321 §4.5.3.2. */
  readonly answerTimeoutMs?: number | undefined;
  /** Default: 5 s. */
  readonly patienceMs?: number | undefined;
  /** Gets the dialogue as `info`, without the messages themselves. */
  readonly log?: Logger | undefined;
}

/** One SMTP session (RFC 5321 §3) that was greeted. One call at a time. */
export interface SmtpClient {
  readonly greeting: SmtpReply;
  /** What EHLO offered, by keyword in upper case: its parameters. Empty where the server knows only HELO. */
  readonly extensions: Extensions;
  /** Can another message be delivered over it? Not once the connection, or the order of the dialogue, is lost. */
  readonly usable: boolean;
  /**
   * Delivers one message. Never throws for what the server answered or for a connection that ends: the result says it.
   * `content` is the message in any line ends and without dot-stuffing; it is asked for once all recipients are settled.
   * `partial`: what becomes of a message when some recipients are accepted and others not: `refuse` sends it to nobody.
   *
   * @throws what `content` throws; the session is then over and the message was not sent
   */
  deliver(
    envelope: Envelope,
    content: AsyncIterable<Uint8Array>,
    options: { readonly partial: 'refuse' | 'deliver' },
  ): Promise<DeliveryResult>;
  /** Says QUIT and closes the channel. Never throws, and does not wait long. */
  quit(): Promise<void>;
}

const ANSWER_TIMEOUT_MS = 300_000; // RFC 5321 §4.5.3.2.1 to .3
const PATIENCE_MS = 5000;
const QUIT_TIMEOUT_MS = 5000;

/**
 * Waits for the greeting and says EHLO, or HELO where that is not known. The channel is the session's from here on; a
 * stderr that it has is its opener's to read.
 *
 * @throws ViasshError SMTP_TEMPORARY, SMTP_REFUSED, SMTP_PROTOCOL, SMTP_TIMEOUT, CONNECTION_LOST, ABORTED; OPTION_INVALID
 * for a name that is none. The channel is then closed.
 */
export async function openSmtp(channel: Duplex, options: SmtpOptions): Promise<SmtpClient> {
  const { name, signal, answerTimeoutMs: timeoutMs = ANSWER_TIMEOUT_MS, patienceMs = PATIENCE_MS } = options;
  const { log = silentLogger } = options;
  const queue = new ReplyQueue(channel, signal);
  const ask = async (command: string): Promise<SmtpReply> => {
    const answer = queue.next(command, timeoutMs);
    answer.catch(() => undefined);
    log.info(`> ${sanitize(command)}`);
    await queue.write(`${command}\r\n`, timeoutMs);
    return await answer;
  };
  try {
    checkName(name);
    const greeting = heard(await queue.next('with a greeting', timeoutMs), log);
    expectCode(greeting, 220, 'the greeting');
    const ehlo = heard(await ask(`EHLO ${name}`), log);
    // RFC 5321 §3.2: HELO only for a server that does not know EHLO.
    if (ehlo.code >= 500) expectCode(heard(await ask(`HELO ${name}`), log), 250, 'HELO');
    else expectCode(ehlo, 250, 'EHLO');
    const extensions = ehlo.code === 250 ? extensionsOf(ehlo) : new Map<string, readonly string[]>();
    return {
      greeting,
      extensions,
      get usable() {
        return queue.failure === undefined;
      },
      deliver: async (envelope, content, { partial }) =>
        await deliverOver(queue, envelope, content, { partial, extensions, timeoutMs, patienceMs, log }),
      quit: async () => {
        if (queue.failure !== undefined) return;
        const answer = queue.next('QUIT', Math.min(QUIT_TIMEOUT_MS, timeoutMs)).catch(() => undefined);
        await queue.write('QUIT\r\n', QUIT_TIMEOUT_MS).catch(() => undefined);
        await answer;
        queue.fail(new ViasshError('CONNECTION_CLOSED', 'the SMTP session was closed by this side'));
      },
    };
  } catch (error) {
    queue.fail(error as ViasshError);
    throw error;
  }
}

/** RFC 5321 §4.1.1.1: a keyword and its parameters on each line but the first. */
function extensionsOf({ text }: SmtpReply): Extensions {
  const lines = text.split('\n').slice(1);
  return new Map(
    lines.map((line) => {
      const [keyword = '', ...parameters] = line.trim().split(/[ =]+/);
      return [keyword.toUpperCase(), parameters] as const;
    }),
  );
}

function heard(reply: SmtpReply, log: Logger): SmtpReply {
  log.info(`< ${sanitize(describeReply(reply))}`);
  return reply;
}

function expectCode(reply: SmtpReply, code: number, what: string): void {
  if (reply.code === code) return;
  const said = describeReply(reply);
  if (reply.code >= 500)
    throw new ViasshError('SMTP_REFUSED', `the SMTP server refuses us at ${what}: ${said}`, {
      hint: 'ask who runs the server, or reach another one: --to, --unix or --command',
      cause: reply,
    });
  if (reply.code >= 400)
    throw new ViasshError('SMTP_TEMPORARY', `the SMTP server puts us off at ${what}: ${said}`, {
      hint: 'try again later',
      cause: reply,
    });
  throw new ViasshError('SMTP_PROTOCOL', `the SMTP server answered ${what} with ${said}`, {
    hint: 'look at what is reached there: --to, --unix or --command',
    cause: reply,
  });
}

/** @throws ViasshError OPTION_INVALID for what cannot be a name in EHLO */
export function checkName(name: string): void {
  if (/^[A-Za-z0-9._-]+$|^\[[A-Za-z0-9.:]+\]$/.test(name)) return;
  throw new ViasshError('OPTION_INVALID', `this is no host name for EHLO: '${name}'`, {
    hint: 'give a host name, or an address in brackets: [192.0.2.1]',
  });
}
