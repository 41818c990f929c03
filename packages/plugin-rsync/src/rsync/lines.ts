const LONGEST = 64 * 1024;

/** Cuts text that comes in pieces into lines; a carriage return ends one, too. Empty ones are left out. */
export class Lines {
  readonly #take: (line: string) => void;
  #rest = '';

  constructor(take: (line: string) => void) {
    this.#take = take;
  }

  /** A line that does not end within 64 KiB is passed on in parts. */
  push(text: string): void {
    const parts = (this.#rest + text).split(/[\r\n]/);
    this.#rest = parts.pop() ?? '';
    for (const part of parts) if (part !== '') this.#take(part);
    if (this.#rest.length > LONGEST) this.end();
  }

  end(): void {
    const last = this.#rest;
    this.#rest = '';
    if (last !== '') this.#take(last);
  }
}
