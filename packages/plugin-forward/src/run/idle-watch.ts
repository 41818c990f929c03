import type { Forward, ForwardEvent } from '../forward/forward.ts';

/** Waits until nothing has been connected through some forwards for a time. */
export class IdleWatch implements Disposable {
  readonly #idleMs: number;
  readonly #idle = Promise.withResolvers<void>();
  #forwards: readonly Pick<Forward, 'counters'>[] = [];
  #open = 0;
  #closed = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(idleMs: number) {
    this.#idleMs = idleMs;
  }

  /** Resolves when it is over; from {@link begin} on. */
  get idle(): Promise<void> {
    return this.#idle.promise;
  }

  /** All stand. */
  begin(forwards: readonly Pick<Forward, 'counters'>[]): void {
    this.#forwards = forwards;
    if (this.#open === 0) this.#wait();
  }

  note({ kind }: Pick<ForwardEvent, 'kind'>): void {
    if (kind === 'opened') this.#open += 1;
    if (kind === 'closed') {
      this.#open -= 1;
      this.#closed += 1;
    }
    clearTimeout(this.#timer);
    if (this.#open === 0 && this.#forwards.length > 0) this.#wait();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#forwards = [];
  }

  #wait(): void {
    this.#timer = setTimeout(() => {
      if (this.#someAreOpening()) this.#wait();
      else this.#idle.resolve();
    }, this.#idleMs);
  }

  /** Accepted, and neither through nor refused yet. Asked while none is open, when the sum is cheap. */
  #someAreOpening(): boolean {
    let settled = this.#closed;
    let accepted = 0;
    for (const { counters } of this.#forwards) {
      accepted += counters.accepted;
      settled += counters.refused;
    }
    return accepted > settled;
  }
}
