/**
 * What comes out of the bytes of a client: a whole `command` with its literals in it, a wish to `continue` with a
 * literal, or `too-long`, after which the connection can only be ended.
 */
export type ClientEvent =
  | { readonly kind: 'command'; readonly text: string }
  | { readonly kind: 'continue' }
  | { readonly kind: 'too-long' };

const LONGEST_LINE = 16_384; // RFC 7162 §4 asks for 8192 at least
const LONGEST_COMMAND = 262_144;

/** Cuts a client's bytes into commands (RFC 3501 §2.2.1, §4.3; literals with `+` by RFC 7888). Text is Latin-1. */
export class CommandReader {
  #text = '';
  #from = 0;
  #told = false;

  /** Takes more bytes. */
  push(chunk: Buffer): void {
    this.#text += chunk.toString('latin1');
  }

  /** The next event; `undefined`: more bytes are needed. */
  next(): ClientEvent | undefined {
    for (;;) {
      const end = this.#text.indexOf('\n', this.#from);
      if ((end === -1 ? this.#text.length : end) - this.#from > LONGEST_LINE) return { kind: 'too-long' };
      if (end === -1) return undefined;
      const literal = /\{(\d+)(\+?)\}\r?$/.exec(this.#text.slice(this.#from, end));
      if (literal === null) return { kind: 'command', text: this.#take(end + 1).replace(/\r?\n$/, '') };
      const after = end + 1 + Number(literal[1]);
      if (after > LONGEST_COMMAND) return { kind: 'too-long' };
      if (literal[2] === '' && !this.#told) {
        this.#told = true;
        return { kind: 'continue' };
      }
      if (this.#text.length < after) return undefined;
      this.#from = after;
      this.#told = false;
    }
  }

  #take(length: number): string {
    const taken = this.#text.slice(0, length);
    this.#text = this.#text.slice(length);
    this.#from = 0;
    return taken;
  }
}
