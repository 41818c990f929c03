const CR = 0x0d;
const LF = 0x0a;

/** Looks at a message as it passes, in whatever chunks. */
export class ContentMeasure {
  /** Some byte has its eighth bit set: it needs 8BITMIME, RFC 6152. */
  eightBit = false;
  /** A CR that no LF follows, but for one at the very end, see {@link endsInCr}. */
  bareCr = false;
  /** A LF that no CR precedes. */
  bareLf = false;
  /** Any CR. */
  hasCr = false;
  #octets = 0;
  #last = LF;

  push(chunk: Uint8Array): void {
    let last = this.#last;
    for (const byte of chunk) {
      if (last === CR && byte !== LF) this.bareCr = true;
      if (byte === CR) {
        this.hasCr = true;
        this.#octets += 2;
      } else if (byte !== LF) this.#octets += 1;
      else if (last !== CR) {
        this.bareLf = true;
        this.#octets += 2;
      }
      if (byte > 0x7f) this.eightBit = true;
      last = byte;
    }
    this.#last = last;
  }

  get endsInCr(): boolean {
    return this.#last === CR;
  }

  /** Of the message as `wireContent` makes it, without the dots that it adds: what SIZE means, RFC 1870 §5. */
  get octets(): number {
    return this.#octets + (this.#last === CR || this.#last === LF ? 0 : 2);
  }
}
