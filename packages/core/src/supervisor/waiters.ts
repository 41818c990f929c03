import type { Connection } from '../connection/connection.ts';
import { abortedError, type ViasshError } from '../errors/viassh-error.ts';
import type { Clock, ClockTimer } from './clock.ts';

interface WaitOptions {
  readonly signal: AbortSignal | undefined;
  /** Milliseconds. */
  readonly waitMs: number | undefined;
  /** What it fails with when it has waited so long. */
  readonly late: () => ViasshError;
}

/** Those who wait for one and the same connection. */
export class Waiters {
  readonly #clock: Clock;
  readonly #gaveUp: () => void;
  readonly #waiting = new Set<PromiseWithResolvers<Connection>>();

  /** @param gaveUp somebody waits no longer, and did not get it */
  constructor(clock: Clock, gaveUp: () => void) {
    this.#clock = clock;
    this.#gaveUp = gaveUp;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** @throws ViasshError ABORTED; `late()`; what {@link reject} is given */
  async add({ signal, waitMs, late }: WaitOptions): Promise<Connection> {
    const waiter = Promise.withResolvers<Connection>();
    const onAbort = (): void => this.#giveUp(waiter, abortedError(signal?.reason));
    const timer: ClockTimer | undefined =
      waitMs === undefined || waitMs === Infinity
        ? undefined
        : this.#clock.setTimeout(() => this.#giveUp(waiter, late()), waitMs);
    this.#waiting.add(waiter);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (waitMs === 0) this.#giveUp(waiter, late());
    try {
      return await waiter.promise;
    } finally {
      this.#clock.clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  resolve(connection: Connection): void {
    for (const { resolve } of this.#take()) resolve(connection);
  }

  reject(error: ViasshError): void {
    for (const { reject } of this.#take()) reject(error);
  }

  #take(): PromiseWithResolvers<Connection>[] {
    const all = [...this.#waiting];
    this.#waiting.clear();
    return all;
  }

  #giveUp(waiter: PromiseWithResolvers<Connection>, error: ViasshError): void {
    if (!this.#waiting.delete(waiter)) return;
    waiter.reject(error);
    this.#gaveUp();
  }
}
