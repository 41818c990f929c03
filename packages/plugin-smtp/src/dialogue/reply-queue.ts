import type { Duplex } from 'node:stream';
import { abortedError, toViasshError, ViasshError } from '@viassh/core';
import type { SmtpReply } from './delivery.ts';
import { describeReply, ReplyParser } from './reply-parser.ts';

/** How a dialogue came to its end before its time. */
export interface DialogueFailure {
  readonly error: ViasshError;
  /** What the server said unasked before, e.g. 421. */
  readonly reply?: SmtpReply | undefined;
}

interface Expectation {
  readonly what: string;
  readonly timeoutMs: number;
  readonly resolve: (reply: SmtpReply) => void;
  readonly reject: (error: ViasshError) => void;
}

/**
 * Both directions of one SMTP session: what is written waits for room, each reply goes to the one who waits for it, in
 * order. A reply that nobody waits for, bytes that are no reply, an end, a timeout and an abort end it for good: the
 * channel is destroyed, all who wait are told, and {@link failure} says why.
 */
export class ReplyQueue {
  failure: DialogueFailure | undefined;
  readonly #channel: Duplex;
  readonly #parser: ReplyParser = new ReplyParser();
  readonly #expected: Expectation[] = [];
  readonly #wakers: Set<() => void> = new Set();
  readonly #signal: AbortSignal | undefined;
  #timer: NodeJS.Timeout | undefined;
  #patienceMs = 0;
  #patience: NodeJS.Timeout | undefined;

  constructor(channel: Duplex, signal?: AbortSignal) {
    this.#channel = channel;
    this.#signal = signal;
    channel.on('error', (error: unknown) => this.fail(toViasshError(error, 'CONNECTION_LOST')));
    channel.once('end', this.#onEnd).once('close', this.#onEnd).on('data', this.#onData);
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (signal?.aborted === true) this.#onAbort();
    else if (channel.errored !== null && channel.errored !== undefined)
      this.fail(toViasshError(channel.errored, 'CONNECTION_LOST'));
    else if (channel.destroyed || channel.readableEnded) this.#onEnd();
  }

  /**
   * The next reply that no other call waits for. Its time runs from the moment when it is the next to come.
   *
   * @throws ViasshError that of {@link failure}; SMTP_TIMEOUT
   */
  next(what: string, timeoutMs: number): Promise<SmtpReply> {
    if (this.failure !== undefined) return Promise.reject(this.failure.error);
    return new Promise<SmtpReply>((resolve, reject) => {
      this.#expected.push({ what, timeoutMs, resolve, reject });
      if (this.#expected.length === 1) this.#startTimer();
    });
  }

  /** Resolves when there is room for more. @throws ViasshError that of {@link failure}; SMTP_TIMEOUT */
  async write(bytes: Uint8Array | string, timeoutMs: number): Promise<void> {
    if (this.failure !== undefined) throw this.failure.error;
    const room = this.#channel.write(bytes); // an answer may come, and end it, within this call
    if (room) return;
    const already = this.#failed();
    if (already !== undefined) throw already.error;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => this.fail(timedOut('took nothing for', timeoutMs)), timeoutMs);
    this.#wakers.add(resolve);
    this.#channel.once('drain', resolve);
    await promise;
    clearTimeout(timer);
    this.#wakers.delete(resolve);
    this.#channel.off('drain', resolve);
    const failure = this.#failed();
    if (failure !== undefined) throw failure.error;
  }

  /** What became of {@link failure} since somebody looked. */
  #failed(): DialogueFailure | undefined {
    return this.failure;
  }

  /** From now on an abort waits for so long: the answer to a complete message is on its way. */
  beginPatience(ms: number): void {
    this.#patienceMs = ms;
  }

  /** The answer is there: what was put off happens now. */
  endPatience(): void {
    this.#patienceMs = 0;
    if (this.#signal?.aborted === true) this.#onAbort();
  }

  /** Ends it; the first call counts. */
  fail(error: ViasshError, reply?: SmtpReply): void {
    if (this.failure !== undefined) return;
    this.failure = { error, reply };
    this.#signal?.removeEventListener('abort', this.#onAbort);
    clearTimeout(this.#patience);
    clearTimeout(this.#timer);
    this.#channel.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onEnd);
    this.#channel.destroy();
    for (const { reject } of this.#expected.splice(0)) reject(error);
    for (const wake of this.#wakers) wake();
  }

  readonly #onData = (chunk: Buffer): void => {
    try {
      this.#parser.push(chunk, (reply) => this.#take(reply));
    } catch (error) {
      this.fail(toViasshError(error));
    }
  };

  /** For the first of those that wait. */
  #startTimer(): void {
    clearTimeout(this.#timer);
    const [first] = this.#expected;
    if (first === undefined) return;
    const { what, timeoutMs } = first;
    this.#timer = setTimeout(() => this.fail(timedOut(`did not answer ${what} within`, timeoutMs)), timeoutMs);
  }

  #take(reply: SmtpReply): void {
    if (this.failure !== undefined) return;
    const expectation = this.#expected.shift();
    this.#startTimer();
    expectation?.resolve(reply);
    if (expectation !== undefined && reply.code !== 421) return;
    const said = describeReply(reply);
    // RFC 5321 §3.8: 421 may come at any time, and nothing comes after it.
    const error =
      reply.code >= 400
        ? new ViasshError(reply.code >= 500 ? 'SMTP_REFUSED' : 'SMTP_TEMPORARY', `the SMTP server ended it: ${said}`, {
            hint: reply.code >= 500 ? 'ask who runs the server' : 'try again later',
            cause: reply,
          })
        : new ViasshError('SMTP_PROTOCOL', `the SMTP server answered before it was asked: ${said}`, {
            hint: 'look at what is reached there: --to, --unix or --command',
            cause: reply,
          });
    this.fail(error, reply);
  }

  readonly #onEnd = (): void => {
    const inside = this.#parser.inside ? ' in the middle of an answer' : '';
    this.fail(new ViasshError('CONNECTION_LOST', `the SMTP server closed the connection${inside}`));
  };

  readonly #onAbort = (): void => {
    const abort = (): void => this.fail(abortedError(this.#signal?.reason));
    if (this.#patienceMs > 0) this.#patience = setTimeout(abort, this.#patienceMs);
    else abort();
  };
}

function timedOut(what: string, timeoutMs: number): ViasshError {
  return new ViasshError('SMTP_TIMEOUT', `the SMTP server ${what} ${timeoutMs / 1000} s`, {
    hint: 'try again later; -v shows how far it came',
  });
}
