import { Duplex, PassThrough, Readable } from 'node:stream';
import type { ExitStatus, SessionChannel } from '@viassh/core';

/**
 * A session channel without a connection. What is written to it waits in `taken` until `take()` grants the next write,
 * as a peer whose window is closed; `say()` is the far end speaking.
 */
export class FakeChannel extends Duplex implements SessionChannel {
  readonly type: string = 'session';
  readonly stderr: PassThrough = new PassThrough();
  readonly exit: Promise<ExitStatus>;
  /** Bytes the far end took. */
  readonly taken: Buffer[] = [];
  /** The far end got EOF. */
  eof = false;
  /** How often the reader wanted more. */
  reads = 0;
  #granting: boolean;
  #loss: Error | undefined;
  #waiting: (() => void)[] = [];
  readonly #settleExit: { resolve(status: ExitStatus): void; reject(error: Error): void };

  constructor({ granting = true, highWaterMark = 1024 }: { granting?: boolean; highWaterMark?: number } = {}) {
    super({ allowHalfOpen: true, highWaterMark });
    this.#granting = granting;
    const { promise, resolve, reject } = Promise.withResolvers<ExitStatus>();
    promise.catch(() => undefined);
    this.exit = promise;
    this.#settleExit = { resolve, reject };
    this.on('error', () => undefined);
  }

  /** The far end opens its window: what waits is taken, and all that comes. */
  grant(): void {
    this.#granting = true;
    for (const take of this.#waiting.splice(0)) take();
  }

  /** The far end sends bytes; false when nobody here wants more for now. */
  say(bytes: Buffer | string): boolean {
    return this.push(bytes);
  }

  /** The far end ends well: EOF on both outputs, a status. */
  finish(status: ExitStatus = { kind: 'status', code: 0 }): void {
    this.#settleExit.resolve(status);
    this.push(null);
    this.stderr.end();
    if (!this.writableEnded) this.end();
  }

  /** The connection is lost while bytes wait for a reader: the stream itself fails only when they were taken. */
  lose(error: Error): void {
    this.#settleExit.reject(error);
    this.#loss = error;
    this.#failWhenTaken();
  }

  sendSignal(): void {}
  changeWindow(): void {}

  override read(size?: number): unknown {
    const chunk: unknown = super.read(size);
    this.#failWhenTaken();
    return chunk;
  }

  override _read(): void {
    this.reads += 1;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const take = (): void => {
      this.taken.push(chunk);
      done();
    };
    if (this.#granting) take();
    else this.#waiting.push(take);
  }

  override _final(done: () => void): void {
    this.eof = true;
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.stderr.destroy();
    const reason = error ?? this.#loss;
    if (reason === undefined) this.#settleExit.resolve({ kind: 'missing' });
    else this.#settleExit.reject(reason);
    done(reason ?? null);
  }

  #failWhenTaken(): void {
    if (this.#loss !== undefined && this.readableLength === 0) this.destroy(this.#loss);
  }
}

/** An input whose bytes the test gives one by one. */
export function openInput(highWaterMark = 1024): Readable {
  return new Readable({ highWaterMark, read: () => undefined });
}

/** Lets everything that is ready to happen, happen: no clock is waited for. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
