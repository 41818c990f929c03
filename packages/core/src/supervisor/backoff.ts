/** How long to wait between attempts; all in milliseconds. */
export interface BackoffOptions {
  /** Before the first attempt after a loss: anything from 0 up to this; twice as much with each failure. Default: 1000. */
  readonly baseMs: number;
  /** The longest wait. Default: 60,000. */
  readonly capMs: number;
  /** A connection that was up for so long makes the next wait a short one again. Default: 30,000. */
  readonly resetMs: number;
  /**
   * What is waited at least from the second time on that the server hung up before the login was complete: it may count
   * our attempts. Default: 15,000, the shortest penalty that sshd enforces (PerSourcePenalties, `min`).
   */
  readonly penaltyMs: number;
}

const defaults: BackoffOptions = { baseMs: 1000, capMs: 60_000, resetMs: 30_000, penaltyMs: 15_000 };

/**
 * Waits with full jitter: anything between nothing and a limit that doubles, so that a thousand clients of one server that
 * was restarted do not come back at the same moment.
 */
export class Backoff {
  readonly #options: BackoffOptions;
  readonly #random: () => number;
  #failures = 0;
  #hangUps = 0;

  constructor(options: Partial<BackoffOptions>, random: () => number) {
    this.#options = { ...defaults, ...options };
    this.#random = random;
  }

  /** The server may be counting our attempts: nothing but a person cuts the wait short. */
  get isPenalised(): boolean {
    return this.#hangUps > 1;
  }

  /** Milliseconds until the next attempt, after a failure. `hungUp`: it was the server's, before the login was complete. */
  next(hungUp: boolean): number {
    const { baseMs, capMs, penaltyMs } = this.#options;
    const limit = Math.min(capMs, baseMs * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    this.#hangUps = hungUp ? this.#hangUps + 1 : 0;
    return Math.round((this.isPenalised ? penaltyMs : 0) + this.#random() * limit);
  }

  /** A connection was up for so many milliseconds. */
  wasUp(ms: number): void {
    this.#hangUps = 0;
    if (ms >= this.#options.resetMs) this.#failures = 0;
  }
}
