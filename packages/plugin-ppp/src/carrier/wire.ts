import type { Duplex } from 'node:stream';

/** What happens on a {@link Wire}. */
export interface WireEvents {
  /** Bytes came; they are the wire's again when it returns. */
  onBytes(bytes: Buffer): void;
  /** The far end writes no more; or, with an error, all is over. Called once. */
  onEnd(error: Error | undefined): void;
}

/** With more than this waiting nothing more is taken, bytes. A batch that came before that is taken whole. */
const MOST_WAITING = 4 * 1024 * 1024;

/** A stream as a carrier of packets needs it: who writes is told of no room, and need not wait for it. */
export class Wire {
  readonly #stream: Duplex;
  #ended = false;
  #room: PromiseWithResolvers<void> | undefined;

  /** Takes the stream over: nobody else may read it or write to it. */
  constructor(stream: Duplex, events: WireEvents) {
    this.#stream = stream;
    const end = (error?: Error): void => {
      if (this.#ended) return;
      this.#ended = true;
      this.#makeRoom();
      events.onEnd(error);
    };
    stream.on('error', end);
    stream.on('close', () => end());
    stream.on('end', () => end());
    stream.on('drain', () => this.#makeRoom());
    stream.on('data', (bytes: Buffer) => events.onBytes(bytes));
  }

  /** More is taken, but should not come. */
  get full(): boolean {
    return !this.#ended && this.#stream.writableNeedDrain;
  }

  /** Nothing more is taken. */
  get shut(): boolean {
    return this.#ended || !this.#stream.writable || this.#stream.writableLength >= MOST_WAITING;
  }

  /** The bytes are the stream's from now on. */
  write(bytes: Buffer): void {
    if (!this.#ended && this.#stream.writable) this.#stream.write(bytes);
  }

  ready(): Promise<void> {
    if (!this.full) return Promise.resolve();
    this.#room ??= Promise.withResolvers<void>();
    return this.#room.promise;
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  /** For `pause()` within `onBytes`: what was not looked at comes again. */
  putBack(bytes: Buffer): void {
    if (bytes.length > 0) this.#stream.unshift(bytes);
  }

  /** We write no more; what was written still goes. */
  finish(): void {
    if (this.#stream.writable) this.#stream.end();
  }

  destroy(): void {
    this.#stream.destroy();
  }

  #makeRoom(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }
}
