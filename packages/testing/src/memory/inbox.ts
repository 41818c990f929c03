import type { Readable } from 'node:stream';

/**
 * What arrived and was not asked for yet. Only what the stream's reader takes is granted again, so no more than one
 * window can lie here.
 */
export class Inbox {
  readonly #stream: Readable;
  readonly #consumed: (bytes: number) => void;
  #waiting: (Buffer | null)[] = [];
  #wanted = false;
  #ended = false;
  #loss: Error | undefined;

  /** `consumed` is told what went into the stream. */
  constructor(stream: Readable, consumed: (bytes: number) => void) {
    this.#stream = stream;
    this.#consumed = consumed;
  }

  /** The end has arrived. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Why the stream will fail once all was taken. */
  get loss(): Error | undefined {
    return this.#loss;
  }

  /** Bytes, or `null` for the end. Nothing comes after a loss; a stream that was destroyed takes all and keeps none. */
  put(chunk: Buffer | null): void {
    if (this.#loss !== undefined) return;
    this.#ended ||= chunk === null;
    this.#waiting.push(chunk);
    this.#deliver();
  }

  /** The stream's `_read`. */
  want(): void {
    this.#wanted = true;
    this.#deliver();
  }

  /** The stream's `_destroy`: nobody will take what waits. */
  drop(): void {
    this.#deliver();
  }

  /** After the stream's `read`. */
  taken(): void {
    if (this.#loss !== undefined && !this.#ended && this.#isEmpty()) this.#stream.destroy(this.#loss);
  }

  /** The connection is lost: the stream fails when what had arrived was taken, its end included. */
  fail(error: Error): void {
    if (this.#stream.destroyed || this.#loss !== undefined) return;
    this.#loss = error;
    if (this.#isEmpty()) this.#stream.destroy(error);
    else if (this.#ended) this.#stream.once('end', () => this.#stream.destroy(error));
  }

  #isEmpty(): boolean {
    return this.#stream.readableLength === 0 && !this.#waiting.some((chunk) => chunk !== null);
  }

  #deliver(): void {
    while (this.#waiting.length > 0 && (this.#wanted || this.#stream.destroyed)) {
      const chunk = this.#waiting.shift() ?? null;
      if (!this.#stream.destroyed) this.#wanted = this.#stream.push(chunk);
      if (chunk !== null) this.#consumed(chunk.length);
    }
  }
}
