import type { ViasshError } from '@viassh/core';
import type { FarTarget } from '../spec/forward-spec.ts';

/** Where a client of a proxy may go: TCP alone, no protocol of a proxy knows Unix sockets. */
export type TcpTarget = Extract<FarTarget, { kind: 'tcp' }>;

/** The address that the far end dialled from, where it is known. */
export interface BoundAddress {
  readonly address: string;
  readonly port: number;
}

/** What a client asked for, and how to answer in its own protocol. */
export interface Asked {
  readonly target: TcpTarget;
  accepted(bound?: BoundAddress): Buffer;
  refused(error: ViasshError): Buffer;
}

/** Ends a dialogue: `answer` is the last thing that the client hears. */
export class TurnedAway extends Error {
  readonly answer: Buffer;
  readonly error: ViasshError;

  constructor(error: ViasshError, answer: Buffer) {
    super(error.message);
    this.answer = answer;
    this.error = error;
  }
}

/** One side of a protocol, as a generator: it pauses where bytes are missing, and gets the next ones there. */
export type Dialogue<T> = Generator<undefined, T, Buffer>;

/** What a client said so far and was not taken yet, and what it is to hear. */
export class Talk {
  #heard: Buffer = Buffer.alloc(0);
  #answers: Buffer[] = [];

  /** The next byte, which stays. */
  *peek(): Dialogue<number | undefined> {
    while (this.#heard.length === 0) this.#heard = yield;
    return this.#heard[0];
  }

  /** Exactly so many bytes. */
  *bytes(count: number): Dialogue<Buffer> {
    while (this.#heard.length < count) this.#heard = Buffer.concat([this.#heard, yield]);
    return this.#cut(count);
  }

  /** Up to and without the byte `end`, which is taken too; undefined when it is not among the first `most` bytes. */
  *until(end: number, most: number): Dialogue<Buffer | undefined> {
    for (let looked = 0; ; ) {
      const found = this.#heard.subarray(0, most).indexOf(end, looked);
      if (found >= 0) return this.#cut(found + 1).subarray(0, found);
      if (this.#heard.length >= most) return undefined;
      looked = this.#heard.length;
      this.#heard = Buffer.concat([this.#heard, yield]);
    }
  }

  /** Answers in the middle of the dialogue. */
  say(...bytes: readonly number[]): void {
    this.#answers.push(Buffer.from(bytes));
  }

  /** What was said since the last call. */
  takeAnswers(): Buffer {
    return Buffer.concat(this.#answers.splice(0));
  }

  /** What came behind the end of the dialogue: the first bytes for the target. */
  takeRest(): Buffer {
    return this.#cut(this.#heard.length);
  }

  #cut(count: number): Buffer {
    const taken = this.#heard.subarray(0, count);
    this.#heard = this.#heard.subarray(count);
    return taken;
  }
}
