const FIRST_NUDGE_MS = 1;
const GROWTH = 1.5;
const LAST_NUDGE_MS = 1000;

interface Timer {
  unref(): unknown;
}

interface Clock {
  setTimeout(callback: () => void, ms: number): Timer;
  clearTimeout(timer: Timer | undefined): void;
}

/**
 * Fetches the server's first answer on a fresh connection sooner. sshd announces its host keys right after the login;
 * Nagle's algorithm (RFC 9293 §3.7.4) then keeps its first answer back until that is acknowledged, and the master's
 * kernel acknowledges only 40 ms later, because nothing leaves it that could carry the acknowledgement. Whatever is
 * sent while we wait does carry it.
 */
export class FirstAnswer {
  readonly #nudge: () => void;
  readonly #clock: Clock;
  #timer: Timer | undefined;
  #done = false;

  /** `nudge` sends something that the server ignores. */
  constructor(
    nudge: () => void,
    clock: Clock = { setTimeout, clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout) },
  ) {
    this.#nudge = nudge;
    this.#clock = clock;
  }

  /** A question went out; only the first one matters. */
  asked(): void {
    if (!this.#done && this.#timer === undefined) this.#waitFor(FIRST_NUDGE_MS);
  }

  /** An answer came, or none will. */
  settled(): void {
    this.#done = true;
    this.#clock.clearTimeout(this.#timer);
  }

  #waitFor(ms: number): void {
    if (ms > LAST_NUDGE_MS) return;
    this.#timer = this.#clock.setTimeout(() => {
      this.#nudge();
      this.#waitFor(ms * GROWTH);
    }, ms);
    this.#timer.unref();
  }
}
