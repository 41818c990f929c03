import type { Readable } from 'node:stream';

/** So many times its own length may a waiting chunk keep in memory. */
const MOST_HELD = 4;

/**
 * One direction in, in front of a readable stream: tells what was taken, so that it may be granted again, and keeps a
 * loss back until the last of what had arrived was taken.
 */
export class Inbound {
  readonly #stream: Readable;
  readonly #consumed: (bytes: number) => void;
  #ended = false;
  #loss: Error | undefined;

  /** The stream's `read` goes through {@link take}, its `_destroy` calls {@link drop}. */
  constructor(stream: Readable, consumed: (bytes: number) => void) {
    this.#stream = stream;
    this.#consumed = consumed;
  }

  /** Why the stream will fail once it is empty. */
  get loss(): Error | undefined {
    return this.#loss;
  }

  /** Bytes from the far end; a stream that was destroyed takes them all and keeps none. */
  push(chunk: Buffer): void {
    if (this.#ended || this.#loss !== undefined) return; // RFC 4254 §5.3: nothing comes after EOF
    const before = this.#stream.readableLength;
    const waits = this.#stream.readableFlowing !== true || before > 0;
    this.#stream.push(waits ? owned(chunk) : chunk);
    this.#consumed(chunk.length - (this.#stream.readableLength - before));
  }

  /** The far end sent EOF. */
  end(): void {
    if (this.#ended || this.#loss !== undefined) return;
    this.#ended = true;
    if (!this.#stream.destroyed) this.#stream.push(null);
  }

  /** Runs the stream's own `read`. */
  take(read: () => unknown): unknown {
    const { destroyed, readableLength } = this.#stream;
    const chunk = read();
    if (!destroyed) this.#consumed(readableLength - this.#stream.readableLength);
    if (this.#loss !== undefined && !this.#ended && this.#stream.readableLength === 0) this.#stream.destroy(this.#loss);
    return chunk;
  }

  /** Nobody will take what waits. */
  drop(): void {
    this.#consumed(this.#stream.readableLength);
  }

  /** Nothing more comes: the stream fails when what waits was taken, and its end was told if it had come. */
  fail(error: Error): void {
    if (this.#stream.destroyed) return;
    this.#loss = error;
    if (this.#stream.readableLength === 0) this.#stream.destroy(error);
    else if (this.#ended) this.#stream.once('end', () => this.#stream.destroy(error));
  }
}

/** A chunk is a part of what was read from the wire at a time: a small one that waits must not hold all of that. */
function owned(chunk: Buffer): Buffer {
  return chunk.length * MOST_HELD < chunk.buffer.byteLength ? Buffer.from(chunk) : chunk;
}
