import type { Readable } from 'node:stream';
import type { ReceiveWindow } from './window.ts';

/** What is not longer is copied: it may wait long, and would hold the whole of the memory that it was read into. */
const COPIED_BYTES = 4 * 1024;

/**
 * One direction in: bytes wait here until the stream asks for them, and only then count as consumed. What waits is
 * bounded by the window. A stream that was destroyed takes everything and keeps nothing.
 */
export class Inbound {
  readonly #window: ReceiveWindow;
  readonly #stream: Readable;
  readonly #queue: (Buffer | null)[] = [];
  #wanted = false;

  /** The stream's `_read` calls {@link resume}. */
  constructor(stream: Readable, window: ReceiveWindow) {
    this.#stream = stream;
    this.#window = window;
    stream.once('close', () => this.resume());
  }

  /** No bytes wait, neither here nor in the stream. */
  get isEmpty(): boolean {
    return this.#queue.every((bytes) => bytes === null) && this.#stream.readableLength === 0;
  }

  /** Bytes from the peer; `null` = no more. */
  push(bytes: Buffer | null): void {
    this.#queue.push(bytes === null || bytes.length > COPIED_BYTES ? bytes : Buffer.from(bytes));
    if (this.#wanted || this.#stream.destroyed) this.resume();
  }

  resume(): void {
    this.#wanted = true;
    while (this.#queue.length > 0 && (this.#wanted || this.#stream.destroyed)) {
      const bytes = this.#queue.shift() as Buffer | null;
      if (!this.#stream.destroyed) this.#wanted = this.#stream.push(bytes);
      if (bytes !== null) this.#window.consumed(bytes.length);
    }
  }
}
