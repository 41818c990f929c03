/**
 * What arrived and was not asked for yet. Only what the stream's reader takes is granted again, so no more than one
 * window can lie here.
 */
export class Inbox {
  readonly #push: (chunk: Buffer | null) => boolean;
  readonly #consumed: (bytes: number) => void;
  #waiting: (Buffer | null)[] = [];
  #wanted = false;

  /** `push` is the stream's; `consumed` is told what went into it. */
  constructor(push: (chunk: Buffer | null) => boolean, consumed: (bytes: number) => void) {
    this.#push = push;
    this.#consumed = consumed;
  }

  /** Bytes, or `null` for the end. */
  put(chunk: Buffer | null): void {
    this.#waiting.push(chunk);
    this.#deliver();
  }

  /** The stream's `_read`. */
  want(): void {
    this.#wanted = true;
    this.#deliver();
  }

  #deliver(): void {
    while (this.#wanted && this.#waiting.length > 0) {
      const chunk = this.#waiting.shift() ?? null;
      this.#wanted = this.#push(chunk);
      if (chunk !== null) this.#consumed(chunk.length);
    }
  }
}
