/** The latest lines of something, no more than so many. */
export class LineRing {
  readonly #most: number;
  #lines: string[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  push(line: string): void {
    this.#lines.push(line);
    // By halves: each line costs the same, however many there are.
    if (this.#lines.length >= this.#most * 2) this.#lines = this.#lines.slice(-this.#most);
  }

  /** Oldest first. */
  get lines(): readonly string[] {
    return this.#lines.slice(-this.#most);
  }
}
