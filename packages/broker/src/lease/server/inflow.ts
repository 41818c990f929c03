import type { Writable } from 'node:stream';

/** So many small pieces wait before they are made one: each costs more than its bytes. */
const MOST_PIECES = 512;

/** Writes to a stream of the far end what the client sends, one write at a time. The window bounds what waits. */
export class Inflow {
  readonly #stream: Writable;
  readonly #consumed: (bytes: number) => void;
  #waiting: Buffer[] = [];
  #busy = false;
  #ended = false;

  /** `consumed` is told what the far end took, or nobody will. */
  constructor(stream: Writable, consumed: (bytes: number) => void) {
    this.#stream = stream;
    this.#consumed = consumed;
  }

  /** The client sent EOF. */
  get ended(): boolean {
    return this.#ended;
  }

  write(piece: Buffer): void {
    if (this.#ended || this.#stream.destroyed) return this.#consumed(piece.length);
    this.#waiting.push(piece);
    if (this.#waiting.length > MOST_PIECES) this.#waiting = [Buffer.concat(this.#waiting)];
    this.#flush();
  }

  end(): void {
    this.#ended = true;
    this.#flush();
  }

  #flush(): void {
    if (this.#busy) return;
    const [first, ...others] = this.#waiting;
    if (first === undefined) {
      if (this.#ended && !this.#stream.destroyed && !this.#stream.writableEnded) this.#stream.end();
      return;
    }
    const all = others.length === 0 ? first : Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#busy = true;
    this.#stream.write(all, () => {
      this.#busy = false;
      this.#consumed(all.length);
      this.#flush();
    });
  }
}
