import { setTimeout as delay } from 'node:timers/promises';
import {
  abortedError,
  type CloseOptions,
  type CloseReason,
  type Connection,
  type Supervisor,
  type SupervisorState,
  ViasshError,
} from '@viassh/core';

/** A supervisor that does what a test says, and nothing by itself but notice a loss. */
export class HandSupervisor implements Supervisor {
  state: SupervisorState = { kind: 'connecting', since: 0, attempt: 1 };
  ups = 0;
  holds = 0;
  readonly stopped: Promise<CloseReason>;
  readonly #stop: (reason: CloseReason) => void;
  readonly #stateListeners = new Set<(state: SupervisorState) => void>();
  readonly #upListeners = new Set<(connection: Connection) => void>();
  readonly #onLoss: (error: ViasshError) => void;
  #connection: Connection | undefined;
  #change = Promise.withResolvers<void>();

  /** Default at a loss: it stops. */
  constructor(onLoss?: (error: ViasshError, supervisor: HandSupervisor) => void) {
    this.#onLoss = (error) => (onLoss === undefined ? this.stop(error) : onLoss(error, this));
    const { promise, resolve } = Promise.withResolvers<CloseReason>();
    this.stopped = promise;
    this.#stop = resolve;
  }

  up(connection: Connection): void {
    this.#connection = connection;
    this.ups += 1;
    void connection.closed.then((reason) => {
      if (this.#connection !== connection) return;
      this.#connection = undefined;
      if (reason.kind === 'lost') this.#onLoss(reason.error);
    });
    for (const listener of this.#upListeners) listener(connection);
    this.#become({ kind: 'up', since: 0, roundTripMs: undefined });
  }

  wait(error: ViasshError): void {
    this.#become({ kind: 'waiting', since: 0, attempt: 1, until: 0, error });
  }

  /** As one that found its connection dead: tells it, then closes it. */
  async giveUp(error: ViasshError): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    this.wait(error);
    await connection?.close();
  }

  stop(error?: ViasshError): void {
    if (this.state.kind === 'stopped') return;
    this.#become({ kind: 'stopped', since: 0, error });
    this.#stop(error === undefined ? { kind: 'closed' } : { kind: 'lost', error });
  }

  async current({ signal, waitMs }: Parameters<Supervisor['current']>[0] = {}): Promise<Connection> {
    const timer = new AbortController();
    const late = waitMs === undefined ? undefined : delay(waitMs, 'late' as const, { signal: timer.signal });
    late?.catch(() => undefined);
    const aborted = Promise.withResolvers<'aborted'>();
    signal?.addEventListener('abort', () => aborted.resolve('aborted'), { once: true });
    try {
      for (;;) {
        if (signal?.aborted === true) throw abortedError(signal.reason);
        if (this.state.kind === 'up' && this.#connection !== undefined) return this.#connection;
        const closed = new ViasshError('CONNECTION_CLOSED', 'the supervisor was closed');
        if (this.state.kind === 'stopped') throw this.state.error ?? closed;
        const what = await Promise.race([this.#change.promise, aborted.promise, ...(late === undefined ? [] : [late])]);
        if (what === 'late') throw 'error' in this.state && this.state.error !== undefined ? this.state.error : closed;
      }
    } finally {
      timer.abort();
    }
  }

  onState(listener: (state: SupervisorState) => void): Disposable {
    this.#stateListeners.add(listener);
    return { [Symbol.dispose]: () => void this.#stateListeners.delete(listener) };
  }

  onUp(listener: (connection: Connection) => void): Disposable {
    this.#upListeners.add(listener);
    if (this.#connection !== undefined) listener(this.#connection);
    return { [Symbol.dispose]: () => void this.#upListeners.delete(listener) };
  }

  hold(): Disposable {
    this.holds += 1;
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (held) this.holds -= 1;
        held = false;
      },
    };
  }

  retryNow(): void {
    throw new Error('nobody asks this one to');
  }

  async close(options?: CloseOptions): Promise<void> {
    await this.#connection?.close(options);
    this.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #become(state: SupervisorState): void {
    this.state = state;
    for (const listener of this.#stateListeners) listener(state);
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }
}
