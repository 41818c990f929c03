import { Readable } from 'node:stream';
import { Inbound } from './inbound.ts';
import type { ReceiveWindow } from './window.ts';

/** A session channel's stderr: shares the channel's window. Cut short by a failure, it is destroyed behind its bytes. */
export class Stderr extends Readable {
  readonly #inbound: Inbound;
  #loss: Error | undefined;
  #eof = false;

  constructor(window: ReceiveWindow) {
    super();
    this.#inbound = new Inbound(this, window);
    this.on('error', () => undefined); // the channel tells it, too
  }

  receive(bytes: Buffer): void {
    this.#inbound.push(bytes);
  }

  receiveEof(): void {
    if (this.#eof) return;
    this.#eof = true;
    this.#inbound.push(null);
  }

  /** Nothing more comes, and the far end had not said so. */
  lose(error: Error): void {
    if (this.#eof) return;
    this.#loss = error;
    this.#settle();
  }

  /** The channel was destroyed: what the far end had not ended goes with it, but for what a loss left to be read. */
  destroyUnlessEnded(error: Error | null): void {
    if (!this.#eof && this.#loss === undefined) this.destroy(error ?? undefined);
  }

  override read(size?: number): unknown {
    const bytes: unknown = super.read(size);
    if (this.#loss !== undefined) queueMicrotask(() => this.#settle());
    return bytes;
  }

  override _read(): void {
    this.#inbound.resume();
  }

  #settle(): void {
    if (this.#inbound.isEmpty) this.destroy(this.#loss);
  }
}
