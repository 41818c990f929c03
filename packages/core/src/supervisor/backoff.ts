/** How long to wait between attempts; all in milliseconds. */
export interface BackoffOptions {
  /** A wait is anything from 0 up to a quarter of the outage so far, or up to this where that is less. Default: 1000. */
  readonly baseMs: number;
  /** The longest wait. Default: 60,000. */
  readonly capMs: number;
  /** A connection that was up for so long ends an outage: the next one begins with its loss. Default: 30,000. */
  readonly resetMs: number;
  /**
   * What is waited at least from the second time on that the server hung up before the login was complete: it may count
   * our attempts. Default: 15,000, the shortest penalty that sshd enforces (PerSourcePenalties, `min`).
   */
  readonly penaltyMs: number;
}

const defaults: BackoffOptions = { baseMs: 1000, capMs: 60_000, resetMs: 30_000, penaltyMs: 15_000 };

/** The part of an outage that is waited at most: whoever was away for a minute is back within a quarter of one. */
const SHARE = 0.25;

/**
 * Waits with full jitter: anything between nothing and a limit that grows with the outage, so that a thousand clients of
 * one server that was restarted do not come back at the same moment, and none long after it. Only the time without a
 * connection counts, from the first attempt or the loss on, over all the losses of a link that flaps.
 */
export class Backoff {
  readonly #options: BackoffOptions;
  readonly #random: () => number;
  readonly #now: () => number;
  /** When the outage began, moved on by the time that a connection was up meanwhile. */
  #since: number | undefined;
  #hangUps = 0;

  /** @param now a monotonic clock, in milliseconds */
  constructor(options: Partial<BackoffOptions>, random: () => number, now: () => number) {
    this.#options = { ...defaults, ...options };
    this.#random = random;
    this.#now = now;
  }

  /** The server may be counting our attempts: nothing but a person cuts the wait short. */
  get isPenalised(): boolean {
    return this.#hangUps > 1;
  }

  /** An attempt begins. */
  begins(): void {
    this.#since ??= this.#now();
  }

  /** Milliseconds until the next attempt, after a failure. `hungUp`: it was the server's, before the login was complete. */
  next(hungUp: boolean): number {
    const { baseMs, capMs, penaltyMs } = this.#options;
    const now = this.#now();
    const limit = Math.min(capMs, Math.max(baseMs, SHARE * (now - (this.#since ?? now))));
    this.#hangUps = hungUp ? this.#hangUps + 1 : 0;
    return Math.round((this.isPenalised ? penaltyMs : 0) + this.#random() * limit);
  }

  /** A connection was up for so many milliseconds, until now. */
  wasUp(ms: number): void {
    this.#hangUps = 0;
    const now = this.#now();
    this.#since = ms >= this.#options.resetMs ? now : Math.min(now, (this.#since ?? now) + ms);
  }

  /** Nobody wants a connection for now: what follows is no part of an outage. */
  rests(): void {
    this.#since = undefined;
  }
}
