import { ContentMeasure } from '../dialogue/content-measure.ts';

const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;
const DOT_CR = Buffer.from('.\r');

/** How the lines of a batch end: as its first one does. */
export type LineEnd = 'crlf' | 'lf';

/**
 * Reads one message from a batch: finds its end, which is a dot between two line ends of the batch's own kind and nothing
 * else, and takes away the dot that was put before lines with one (RFC 5321 §4.5.2). All other bytes pass as they are.
 */
export class BatchContent {
  readonly measure: ContentMeasure = new ContentMeasure();
  readonly #lineEnd: LineEnd;
  /** What a line began with, as long as it may be the end: nothing yet, a dot, a dot and CR; or it is none. */
  #head: 'start' | 'dot' | 'dot-cr' | 'inside' = 'start';
  #afterCr = false;

  constructor(lineEnd: LineEnd) {
    this.#lineEnd = lineEnd;
  }

  /**
   * Takes bytes from `chunk` at `from` on and hands the message's own to `emit`.
   *
   * @returns where the batch goes on behind the end of data; undefined when that was not reached
   */
  push(chunk: Buffer, from: number, emit: (content: Buffer) => void): number | undefined {
    const pass = (content: Buffer): void => {
      this.measure.push(content);
      emit(content);
    };
    let at = from;
    while (at < chunk.length) {
      if (this.#head === 'inside') {
        const end = this.#endOfLines(chunk, at);
        pass(chunk.subarray(at, end));
        at = end;
        continue;
      }
      const byte = chunk[at];
      if (this.#head === 'start') {
        if (byte === DOT) {
          this.#head = 'dot';
          at += 1;
        } else this.#beginLine();
      } else if (this.#head === 'dot') {
        if (this.#lineEnd === 'lf' && byte === LF) return at + 1;
        if (this.#lineEnd === 'crlf' && byte === CR) {
          this.#head = 'dot-cr';
          at += 1;
        } else this.#beginLine();
      } else {
        if (byte === LF) return at + 1;
        pass(DOT_CR.subarray(1));
        this.#beginLine();
      }
    }
    return undefined;
  }

  #beginLine(): void {
    this.#head = 'inside';
    this.#afterCr = false; // in a batch of CRLF, a CR that no LF follows at once is no line end
  }

  /** Behind the last line that can be passed with the one that `from` is in: before one with a dot, or at the chunk's end. */
  #endOfLines(chunk: Buffer, from: number): number {
    for (let at = from; ; ) {
      const lf = chunk.indexOf(LF, at);
      if (lf === -1) {
        this.#afterCr = chunk.at(-1) === CR;
        return chunk.length;
      }
      const afterCr = lf > from ? chunk[lf - 1] === CR : this.#afterCr;
      at = lf + 1;
      const bare = this.#lineEnd === 'crlf' && !afterCr;
      if (at < chunk.length && (bare || chunk[at] !== DOT)) continue;
      this.#afterCr = false;
      if (!bare) this.#head = 'start';
      return at;
    }
  }
}
