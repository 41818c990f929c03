import { Readable, Writable } from 'node:stream';

const CHUNK = 64 * 1024; // what files and pipes give at a time

/** So many zero bytes, made as they are asked for. */
export function zeros(bytes: number): Readable {
  const chunk = Buffer.alloc(CHUNK);
  let left = bytes;
  return new Readable({
    highWaterMark: CHUNK,
    read() {
      const taken = Math.min(left, CHUNK);
      left -= taken;
      this.push(taken === 0 ? null : chunk.subarray(0, taken));
    },
  });
}

/** Counts what it is given, and forgets it. */
export class Counter extends Writable {
  bytes = 0;
  readonly #first: PromiseWithResolvers<number> = Promise.withResolvers();
  /** When the first byte came, by `performance.now()`. */
  readonly first: Promise<number> = this.#first.promise;

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.bytes === 0) this.#first.resolve(performance.now());
    this.bytes += chunk.length;
    done();
  }

  /** @throws Error when it is not so many */
  expect(bytes: number): void {
    if (this.bytes !== bytes) throw new Error(`${this.bytes} bytes came instead of ${bytes}`);
  }
}
