import { isViasshError, type Logger, sanitize, toViasshError, ViasshError } from '@viassh/core';
import {
  type DeliveryOutcome,
  type DeliveryPhase,
  type DeliveryResult,
  type Envelope,
  type RecipientResult,
  type SmtpReply,
  worstOutcome,
} from './delivery.ts';
import { type Extensions, fitEnvelope } from './parameters.ts';
import { describeReply } from './reply-parser.ts';
import type { ReplyQueue } from './reply-queue.ts';
import { END_OF_DATA, wireContent } from './wire-content.ts';

/** What one delivery needs to know of its session. */
export interface DeliverySettings {
  readonly partial: 'refuse' | 'deliver';
  readonly extensions: Extensions;
  readonly timeoutMs: number;
  readonly patienceMs: number;
  readonly log: Logger;
}

/** What is said of one recipient, before it is known who it is. */
type Verdict = Omit<RecipientResult, 'address'>;

const BLOCK = 64 * 1024; // bytes

/** See `SmtpClient.deliver`. */
export async function deliverOver(
  queue: ReplyQueue,
  envelope: Envelope,
  content: AsyncIterable<Uint8Array>,
  settings: DeliverySettings,
): Promise<DeliveryResult> {
  const result = (verdicts: readonly Verdict[]): DeliveryResult => {
    const outcome = worstOutcome(verdicts.map((verdict) => verdict.outcome));
    return {
      outcome,
      recipients: envelope.recipients.map(({ address }, index) => ({ address, ...(verdicts[index] as Verdict) })),
      failure: outcome === 'accepted' ? undefined : queue.failure?.error,
    };
  };
  const fitted = fitEnvelope(envelope, settings.extensions);
  if (!fitted.ok) {
    const verdict = { outcome: 'refused', phase: 'unsent', reason: `not sent: ${sanitize(fitted.reason)}` } as const;
    return { ...result(envelope.recipients.map(() => verdict)), outcome: 'refused' };
  }
  const transaction = new Transaction(queue, settings);
  try {
    const settled = await transaction.settleRecipients(fitted.mail, fitted.rcpts);
    if (!settled.go) {
      await transaction.reset();
      return result(settled.verdicts);
    }
    const verdict = await transaction.sendContent(content);
    if (verdict.phase === 'data') await transaction.reset();
    return result(settled.verdicts.map((own) => (own.outcome === 'accepted' ? verdict : own)));
  } catch (error) {
    const { failure } = queue;
    if (failure === undefined || error !== failure.error) {
      queue.fail(toViasshError(error)); // the content failed: the server must not see an end of it
      throw error;
    }
    const verdict = transaction.verdictOfFailure(failure.error, failure.reply);
    const verdicts = envelope.recipients.map((_, index) => transaction.refusals[index] ?? verdict);
    return result(verdicts);
  }
}

/** One message's way through MAIL, RCPT and DATA, RFC 5321 §3.3. */
class Transaction {
  readonly #queue: ReplyQueue;
  readonly #settings: DeliverySettings;
  #phase: 'before' | 'inside' | 'after' = 'before';
  /** Of those recipients that are already known not to get it. */
  refusals: readonly (Verdict | undefined)[] = [];

  constructor(queue: ReplyQueue, settings: DeliverySettings) {
    this.#queue = queue;
    this.#settings = settings;
  }

  /** MAIL and all RCPT. `go`: DATA may follow; the accepted verdicts are then those that wait for its answer. */
  async settleRecipients(
    mail: string,
    rcpts: readonly string[],
  ): Promise<{ readonly go: boolean; readonly verdicts: readonly Verdict[] }> {
    const { partial, extensions } = this.#settings;
    const pipelined = extensions.has('PIPELINING'); // RFC 2920
    const answers = pipelined ? await this.#askAll([mail, ...rcpts]) : await this.#askAll([mail]);
    const ofMail = verdictOf(answers[0] as SmtpReply, 'mail');
    if (ofMail.outcome !== 'accepted') return { go: false, verdicts: rcpts.map(() => ofMail) };
    const ofRcpts = pipelined ? answers.slice(1) : [];
    if (!pipelined) for (const rcpt of rcpts) ofRcpts.push(...(await this.#askAll([rcpt])));
    const verdicts = ofRcpts.map((reply) => verdictOf(reply, 'rcpt'));
    const accepted = verdicts.filter(({ outcome }) => outcome === 'accepted').length;
    const go = partial === 'refuse' ? accepted === verdicts.length : accepted > 0;
    this.refusals = verdicts.map((verdict) => (verdict.outcome === 'accepted' ? undefined : verdict));
    if (go) return { go, verdicts };
    const outcome = worstOutcome(verdicts.map((verdict) => verdict.outcome));
    return {
      go,
      verdicts: verdicts.map((verdict) => (verdict.outcome === 'accepted' ? withheld(verdict, outcome) : verdict)),
    };
  }

  /** DATA, the message, and the answer to it. */
  async sendContent(content: AsyncIterable<Uint8Array>): Promise<Verdict> {
    const { timeoutMs, patienceMs } = this.#settings;
    const [go] = await this.#askAll(['DATA']);
    if (go?.code !== 354) return this.#insist(verdictOf(go as SmtpReply, 'data'), go as SmtpReply);
    this.#phase = 'inside';
    let waiting: Buffer[] = [];
    let size = 0;
    for await (const block of wireContent(content)) {
      waiting.push(block);
      size += block.length;
      if (size < BLOCK) continue;
      await this.#queue.write(Buffer.concat(waiting), timeoutMs);
      [waiting, size] = [[], 0];
    }
    if (this.#queue.failure !== undefined) throw this.#queue.failure.error;
    this.#queue.beginPatience(patienceMs);
    this.#phase = 'after';
    const answer = this.#queue.next('to the message', timeoutMs * 2); // RFC 5321 §4.5.3.2.6
    answer.catch(() => undefined);
    this.#queue.write(Buffer.concat([...waiting, END_OF_DATA]), timeoutMs).catch(() => undefined); // then `answer` rejects
    const reply = this.#heard(await answer);
    this.#queue.endPatience();
    return this.#insist(verdictOf(reply, 'content'), reply);
  }

  /** Nothing of this transaction is left for the next. A failure is the next one's to find. */
  async reset(): Promise<void> {
    if (this.#queue.failure !== undefined) return;
    try {
      const [reply] = await this.#askAll(['RSET']);
      if (reply?.code !== 250) this.#queue.fail(outOfOrder(reply as SmtpReply));
    } catch (error) {
      if (!isViasshError(error)) throw error;
    }
  }

  /** What a session that ended means for the message: only one that was sent to its last byte may have been accepted. */
  verdictOfFailure({ message }: ViasshError, reply: SmtpReply | undefined): Verdict {
    const reason = sanitize(message);
    if (this.#phase === 'after')
      return { outcome: 'unknown', phase: 'content', reason: `sent, but no answer came: ${reason}` };
    if (this.#phase === 'inside' && reply !== undefined && reply.code >= 500)
      return { outcome: 'refused', phase: 'content', reply, reason };
    return { outcome: 'temporary', phase: 'unsent', reply, reason: `not sent: ${reason}` };
  }

  /** Commands in one go, and their answers. */
  async #askAll(commands: readonly string[]): Promise<SmtpReply[]> {
    const { timeoutMs, log } = this.#settings;
    const answers = commands.map((command) => this.#queue.next(command, timeoutMs));
    for (const answer of answers) answer.catch(() => undefined);
    for (const command of commands) log.info(`> ${sanitize(command)}`);
    await this.#queue.write(commands.map((command) => `${command}\r\n`).join(''), timeoutMs);
    const replies: SmtpReply[] = [];
    for (const answer of answers) replies.push(this.#heard(await answer));
    return replies;
  }

  /** An answer that is neither yes nor no, at a place where it must be one: nobody knows what the server will do next. */
  #insist(verdict: Verdict, reply: SmtpReply): Verdict {
    if (reply.code >= 400 || (verdict.phase === 'content' && reply.code < 300)) return verdict;
    this.#queue.fail(outOfOrder(reply));
    return { ...verdict, outcome: verdict.phase === 'content' ? 'unknown' : 'temporary' };
  }

  #heard(reply: SmtpReply): SmtpReply {
    this.#settings.log.info(`< ${sanitize(describeReply(reply))}`);
    return reply;
  }
}

/** What is neither accepted (2xx) nor refused (5xx) may be tried again. */
function verdictOf(reply: SmtpReply, phase: DeliveryPhase): Verdict {
  const outcome: DeliveryOutcome = reply.code < 300 ? 'accepted' : reply.code >= 500 ? 'refused' : 'temporary';
  return { outcome, phase, reply, reason: sanitize(describeReply(reply)) };
}

function withheld(verdict: Verdict, outcome: DeliveryOutcome): Verdict {
  const reason = `not sent, since another recipient was not accepted (${verdict.reason})`;
  return { ...verdict, outcome, phase: 'withheld', reason };
}

function outOfOrder(reply: SmtpReply): ViasshError {
  return new ViasshError('SMTP_PROTOCOL', `the SMTP server answered out of order: ${describeReply(reply)}`, {
    hint: 'ask who runs the server; -v shows the dialogue',
    cause: reply,
  });
}
