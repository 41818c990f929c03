import type { Readable } from 'node:stream';

/** A sign of life from the master, asked for after an end of file; false when it is gone. */
export type IsAlive = () => Promise<boolean>;

/**
 * Bytes of a local stream whose other end the master holds, given on as `stream` asks for them. The master's death looks
 * like the far end's EOF, so an end is passed on only after a sign of life that came behind it.
 */
export class LocalInbound {
  readonly #stream: Readable;
  readonly #input: Readable;
  readonly #isAlive: IsAlive;
  readonly #onOver: () => void;
  #over = false;
  #endSeen = false;
  #ended = false;
  #lost = false;
  #fetching = false;
  #wanted = false;

  /** @param onOver nothing more comes from `input`; called once */
  constructor(stream: Readable, input: Readable, isAlive: IsAlive, onOver: () => void) {
    this.#stream = stream;
    this.#input = input;
    this.#isAlive = isAlive;
    this.#onOver = onOver;
    input.on('data', (chunk: Buffer) => {
      this.#wanted = stream.destroyed || stream.push(chunk);
      if (!this.#wanted && !this.#fetching) input.pause();
    });
    input.on('error', () => undefined); // its close follows: a reset is what the master's full close looks like
    input.once('end', () => void this.#inputEnded());
    input.once('close', () => void this.#inputEnded());
    input.pause();
  }

  /** The far end has sent EOF, and the master lived on. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Nothing more comes, and all that came was taken. */
  get isEmpty(): boolean {
    return this.#over && this.#stream.readableLength === 0;
  }

  /** The stream's `_read`. */
  resume(): void {
    this.#wanted = true;
    this.#input.resume();
  }

  /** Nobody writes any more: what the kernel still holds, which is little, is taken over, whether somebody asks for it or not. */
  fetchRest(): void {
    this.#fetching = true;
    this.#input.resume();
  }

  /** The master is gone. */
  lose(): void {
    this.#lost = true;
    this.fetchRest();
  }

  async #inputEnded(): Promise<void> {
    if (this.#endSeen) return;
    this.#endSeen = true;
    const alive = !this.#lost && (await this.#isAlive());
    this.#over = true;
    if (alive && !this.#stream.destroyed) {
      this.#ended = true;
      this.#stream.push(null);
    }
    this.#onOver();
  }
}
