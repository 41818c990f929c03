import { Duplex, type Readable, type Writable } from 'node:stream';
import type { Channel } from '@viassh/core';
import { type IsAlive, LocalInbound } from './local-inbound.ts';

/** Bytes that are fetched before somebody asks: what stays with the master is lost when its server is. */
const READ_AHEAD = 512 * 1024;

/** What a {@link StreamChannel} is made from. */
export interface StreamChannelInit {
  readonly type: string;
  /** What comes from the far end. */
  readonly input: Readable;
  /** What goes there; may be the same socket. Its failure must leave the input readable. */
  readonly output: Writable;
  readonly isAlive: IsAlive;
  /** Called once, when the channel is of no more use: closed by the far end, destroyed here, or lost. */
  readonly onGone: () => void;
}

/** core's Channel over local streams whose other ends an ssh master holds: the master speaks SSH, we see bytes and ends. */
export class StreamChannel extends Duplex implements Channel {
  readonly type: string;
  readonly #inbound: LocalInbound;
  readonly #input: Readable;
  readonly #output: Writable;
  readonly #isAlive: IsAlive;
  readonly #onGone: () => void;
  #farReaderGone = false;
  #farClosed = false;
  #gone = false;
  #loss: Error | undefined;

  constructor({ type, input, output, isAlive, onGone }: StreamChannelInit) {
    super({
      allowHalfOpen: true,
      autoDestroy: false,
      readableHighWaterMark: READ_AHEAD,
      writableHighWaterMark: 256 * 1024,
    });
    this.type = type;
    this.#input = input;
    this.#output = output;
    this.#isAlive = isAlive;
    this.#onGone = onGone;
    this.#inbound = new LocalInbound(this, input, isAlive, () => this.#settle());
    output.on('error', () => (this.#farReaderGone = true));
    this.once('end', () => this.#settle());
    this.on('error', () => undefined); // a loss that nobody listens for must not end the process
    this.read(0);
  }

  /** The far end closed the channel, or the master is gone: nothing goes there any more, what came is still to be read. */
  async farEndClosed(): Promise<void> {
    this.#farReaderGone = true;
    this.#inbound.fetchRest();
    if (!(await this.#isAlive()) || this.#loss !== undefined) return; // the loss comes in its place
    this.#farClosed = true;
    this.#leave(undefined);
    this.#settle();
  }

  /** The connection under it is gone: closed by us, or lost for a reason. */
  abandon(reason: Error | undefined): void {
    if (reason === undefined) {
      this.destroy();
      return;
    }
    this.#farReaderGone = true;
    this.#loss = reason;
    this.#leave(reason);
    this.#inbound.lose();
    this.#settle();
  }

  /** What had arrived before a loss is read first; the error comes behind it. */
  override read(size?: number): unknown {
    const bytes: unknown = super.read(size);
    if (this.#loss !== undefined) queueMicrotask(() => this.#settle());
    return bytes;
  }

  override _read(): void {
    this.#inbound.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#farReaderGone)
      setImmediate(done); // later, or a writer would never be held back
    else this.#output.write(chunk, () => done()); // a failure means that the far reader has gone: the rest is dropped
  }

  override _final(done: () => void): void {
    if (this.#farReaderGone) done();
    else this.#output.end(() => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#farReaderGone = true;
    const reason = error ?? this.#loss;
    this.#leave(reason);
    this.#output.destroy();
    this.#input.destroy();
    done(reason ?? null);
  }

  /** It came to its own end: closed by the far end, and read. */
  protected get isOver(): boolean {
    return this.#farClosed && this.readableEnded;
  }

  /** The channel is of no more use: `reason` when that is a failure. Called once. */
  protected left(_reason: Error | undefined): void {
    this.#onGone();
  }

  #leave(reason: Error | undefined): void {
    if (this.#gone) return;
    this.#gone = true;
    this.left(reason);
  }

  #settle(): void {
    if (this.#loss !== undefined) {
      const endIsOnItsWay = this.#inbound.ended && this.readableFlowing === true && !this.readableEnded;
      if (!endIsOnItsWay && this.#inbound.isEmpty) this.destroy(this.#loss);
    } else if (this.isOver) this.destroy();
  }
}
