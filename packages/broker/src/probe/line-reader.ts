import type { Readable } from 'node:stream';
import { ViasshError } from '@viassh/core';

const LONGEST = 8192; // of a line that is waited for; a server that says more without an end of line is none of ours
const MOST = 262_144; // in all

/** Reads the first lines of a stream. Bounded: a flood is a failure. */
export class LineReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #text = '';
  #bytes = 0;

  constructor(stream: Readable) {
    this.#chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** The first line, or its beginning when bytes come without an end of line. */
  async some(): Promise<{ readonly text: string }> {
    await this.#more();
    return { text: (this.#text.split('\n')[0] ?? '').trim() };
  }

  /** The next line, without its end. @throws ViasshError CONNECTION_LOST when there is none */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf('\n');
      if (end >= 0) {
        const line = this.#text.slice(0, end).replace(/\r$/, '');
        this.#text = this.#text.slice(end + 1);
        return line;
      }
      if (this.#text.length > LONGEST)
        throw new ViasshError('CONNECTION_LOST', 'it says too much without an end of line');
      await this.#more();
    }
  }

  /** The next line of that kind; others before it are passed over. */
  async lineThat(fits: (line: string) => boolean): Promise<string> {
    for (;;) {
      const line = await this.line();
      if (fits(line)) return line;
    }
  }

  async #more(): Promise<void> {
    const { value, done } = await this.#chunks.next();
    if (done === true) throw new ViasshError('CONNECTION_LOST', 'it was closed without an answer');
    this.#bytes += value.length;
    if (this.#bytes > MOST) throw new ViasshError('CONNECTION_LOST', 'it says too much, and not what was asked for');
    this.#text += value.toString('latin1');
  }
}
