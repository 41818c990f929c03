import type { Readable } from 'node:stream';
import type { ReceiveWindow } from './window.ts';

/**
 * One direction in: bytes wait here until the stream asks for them, and only then count as consumed. What waits is
 * bounded by the window.
 */
export class Inbound {
  readonly #window: ReceiveWindow;
  readonly #queue: (Buffer | null)[] = [];
  #stream: Readable | undefined;
  #wanted = false;

  constructor(window: ReceiveWindow) {
    this.#window = window;
  }

  /** The stream that is fed; its `_read` calls {@link resume}. */
  attach(stream: Readable): void {
    this.#stream = stream;
  }

  /** Bytes from the peer; `null` = no more. */
  push(bytes: Buffer | null): void {
    this.#queue.push(bytes);
    if (this.#wanted) this.resume();
  }

  resume(): void {
    this.#wanted = true;
    while (this.#wanted && this.#queue.length > 0) {
      const bytes = this.#queue.shift() as Buffer | null;
      if (this.#stream === undefined || this.#stream.destroyed) continue;
      this.#wanted = this.#stream.push(bytes);
      if (bytes !== null) this.#window.consumed(bytes.length);
    }
  }
}
