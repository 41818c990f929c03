import { Writable } from 'node:stream';

/** A near end that takes bytes when the test lets it, and fails when told to. */
export class FakeOutput extends Writable {
  readonly taken: Buffer[] = [];
  #waiting: ((error?: Error) => void)[] = [];
  #taking: boolean;

  constructor({ taking = true, highWaterMark = 1024 }: { taking?: boolean; highWaterMark?: number } = {}) {
    super({ highWaterMark });
    this.#taking = taking;
  }

  get text(): string {
    return Buffer.concat(this.taken).toString();
  }

  /** Takes what waits and all that comes. */
  take(): void {
    this.#taking = true;
    for (const done of this.#waiting.splice(0)) done();
  }

  /** The write that waits fails, as the system would tell it. */
  fail(code: string): void {
    for (const done of this.#waiting.splice(0)) done(Object.assign(new Error(`write ${code}`), { code }));
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.taken.push(chunk);
    if (this.#taking) done();
    else this.#waiting.push(done);
  }
}
