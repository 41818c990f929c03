import type { CloseOptions, CloseReason, Connection } from '../connection/connection.ts';
import { abortedError, toViasshError, ViasshError } from '../errors/viassh-error.ts';
import { Backoff } from './backoff.ts';
import { type Clock, type ClockTimer, LONGEST_TIMER_MS, systemClock } from './clock.ts';
import { Link } from './link.ts';
import { isHangUp, mayRetry } from './retry-policy.ts';
import { describeState } from './describe-state.ts';
import type { SuperviseOptions } from './supervise-options.ts';
import type { Supervisor, SupervisorState } from './supervisor.ts';
import { Waiters } from './waiters.ts';
import { type NetworkChange, watchNetwork } from './watch-network.ts';
import { watchWake } from './watch-wake.ts';

/** An attempt that began before the network changed, and longer ago than that, is not waited for. */
const STALE_ATTEMPT_MS = 5000;

/**
 * Keeps one connection up. {@link mayRetry} says what is tried again, {@link Backoff} when.
 *
 * @param connect makes one connection, without retries; ends soon when its signal is aborted
 */
export function supervise(
  connect: (signal: AbortSignal) => Promise<Connection>,
  options: SuperviseOptions,
): Supervisor {
  return new ConnectionSupervisor(connect, options);
}

/** An attempt under way. */
interface Attempt {
  readonly cancel: AbortController;
  readonly since: number;
}

class ConnectionSupervisor implements Supervisor {
  readonly stopped: Promise<CloseReason>;
  readonly #connect: (signal: AbortSignal) => Promise<Connection>;
  readonly #options: SuperviseOptions;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #waiters: Waiters;
  readonly #stateListeners = new Set<(state: SupervisorState) => void>();
  readonly #upListeners = new Set<(connection: Connection) => void>();
  /** Connections and attempts that are not wanted any more and have not ended yet. */
  readonly #endings = new Set<Promise<unknown>>();
  readonly #resolveStopped: (reason: CloseReason) => void;
  #state: SupervisorState;
  #ups = 0;
  #holds = 0;
  #starts = 0;
  /** Since it was up last. */
  #attempts = 0;
  #established = false;
  #attempt: Attempt | undefined;
  #link: Link | undefined;
  #lastError: ViasshError | undefined;
  #closing: Promise<void> | undefined;
  #watches: Disposable | undefined;
  #waitTimer: ClockTimer | undefined;
  #idleTimer: ClockTimer | undefined;
  #lifeTimer: ClockTimer | undefined;

  constructor(connect: (signal: AbortSignal) => Promise<Connection>, options: SuperviseOptions) {
    const { promise, resolve } = Promise.withResolvers<CloseReason>();
    this.stopped = promise;
    this.#resolveStopped = resolve;
    this.#connect = connect;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#backoff = new Backoff(options.backoff ?? {}, options.random ?? Math.random, () => this.#clock.now());
    this.#waiters = new Waiters(this.#clock, () => this.#restIfUnused());
    this.#state = { kind: 'idle', since: this.#clock.wall() };
    const { signal, maxLifetimeMs, lazy = false } = options;
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (maxLifetimeMs !== undefined) this.#liveFor(maxLifetimeMs);
    if (signal?.aborted === true) this.#onAbort();
    else if (!lazy) this.#begin();
  }

  get state(): SupervisorState {
    if (this.#state.kind !== 'up' || this.#link === undefined) return this.#state;
    return { ...this.#state, roundTripMs: this.#link.roundTripMs };
  }

  get ups(): number {
    return this.#ups;
  }

  async current({
    signal,
    waitMs,
  }: {
    readonly signal?: AbortSignal | undefined;
    readonly waitMs?: number | undefined;
  } = {}): Promise<Connection> {
    if (signal?.aborted === true) throw abortedError(signal.reason);
    if (this.#state.kind === 'idle') this.#begin();
    this.#used();
    if (this.#link !== undefined) {
      this.#restIfUnused();
      return this.#link.connection;
    }
    if (this.#state.kind === 'stopped') throw this.#notUp();
    return await this.#waiters.add({ signal, waitMs, late: () => this.#notUp() });
  }

  onState(listener: (state: SupervisorState) => void): Disposable {
    const own = (state: SupervisorState): void => listener(state);
    this.#stateListeners.add(own);
    return { [Symbol.dispose]: () => void this.#stateListeners.delete(own) };
  }

  onUp(listener: (connection: Connection) => void): Disposable {
    const own = (connection: Connection): void => listener(connection);
    this.#upListeners.add(own);
    if (this.#link !== undefined) this.#tell(own, this.#link.connection);
    return { [Symbol.dispose]: () => void this.#upListeners.delete(own) };
  }

  hold(): Disposable {
    let held = true;
    this.#holds += 1;
    this.#used();
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        this.#holds -= 1;
        this.#restIfUnused();
      },
    };
  }

  retryNow(why: string): void {
    if (this.#state.kind === 'waiting') this.#cutWait(why);
    else this.#link?.probeNow(why);
  }

  close(options: CloseOptions = {}): Promise<void> {
    return (this.#closing ??= this.#close(options));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(options: CloseOptions): Promise<void> {
    if (this.#state.kind !== 'stopped') this.#stop(undefined, options);
    await this.stopped;
  }

  readonly #onAbort = (): void => {
    if (this.#state.kind !== 'stopped') this.#stop(undefined, {}, abortedError(this.#options.signal?.reason));
  };

  #liveFor(ms: number): void {
    const part = Math.min(ms, LONGEST_TIMER_MS);
    this.#lifeTimer = this.#clock.setTimeout(() => {
      if (part < ms) this.#liveFor(ms - part);
      else void this.close();
    }, part);
    this.#lifeTimer.unref();
  }

  #begin(): void {
    this.#clock.clearTimeout(this.#waitTimer);
    if (this.#starts >= (this.#options.maxStarts ?? Infinity)) return this.#stop(this.#lastError);
    this.#starts += 1;
    this.#attempts += 1;
    const attempt: Attempt = { cancel: new AbortController(), since: this.#clock.now() };
    this.#attempt = attempt;
    this.#backoff.begins();
    this.#watch();
    this.#enter({ kind: 'connecting', since: this.#clock.wall(), attempt: this.#attempts });
    if (this.#attempt === attempt) this.#track(this.#run(attempt));
  }

  async #run(attempt: Attempt): Promise<void> {
    let connection: Connection | undefined;
    try {
      connection = await this.#connect(attempt.cancel.signal);
      if (this.#attempt === attempt) this.#cameUp(attempt, await this.#linkOver(connection, attempt.cancel.signal));
      else this.#discard(connection);
    } catch (error) {
      if (connection !== undefined) this.#discard(connection);
      if (this.#attempt === attempt) this.#failed(toViasshError(error));
    }
  }

  async #linkOver(connection: Connection, signal: AbortSignal): Promise<Link> {
    const { log, pollMs, firstPollMs } = this.#options;
    const onSilence = (error: ViasshError): void => this.#drop(error);
    return await Link.over(connection, { clock: this.#clock, log, signal, pollMs, firstPollMs, onSilence });
  }

  #cameUp(attempt: Attempt, link: Link): void {
    const { connection, roundTripMs } = link;
    if (this.#attempt !== attempt) {
      link.end();
      return this.#discard(connection);
    }
    this.#attempt = undefined;
    this.#link = link;
    this.#ups += 1;
    this.#attempts = 0;
    this.#lastError = undefined;
    void this.#followEnd(link);
    this.#state = { kind: 'up', since: this.#clock.wall(), roundTripMs };
    for (const listener of Array.from(this.#upListeners)) this.#tell(listener, connection);
    if (this.#link !== link) return; // a listener has closed it
    this.#waiters.resolve(connection);
    this.#enter(this.#state);
    this.#restIfUnused();
  }

  /** It is gone, or it has to go. */
  #takeLink(): Connection | undefined {
    const link = this.#link;
    if (link === undefined) return undefined;
    this.#link = undefined;
    link.end();
    this.#established ||= link.upMs >= (this.#options.gateMs ?? 0);
    this.#backoff.wasUp(link.upMs);
    return link.connection;
  }

  async #followEnd(link: Link): Promise<void> {
    const reason = await link.connection.closed;
    if (this.#link !== link) return;
    this.#takeLink();
    if (reason.kind === 'closed') this.#stop(undefined);
    else this.#failed(reason.error);
  }

  #failed(error: ViasshError, { atOnce = false }: { readonly atOnce?: boolean } = {}): void {
    this.#attempt = undefined;
    this.#lastError = error;
    const { keepTrying = false, maxStarts = Infinity, lazy = false } = this.#options;
    if (!mayRetry(error, { established: this.#established, keepTrying }) || this.#starts >= maxStarts)
      return this.#stop(error);
    if (lazy && this.#isUnused) return this.#rest();
    const delay = atOnce ? 0 : this.#backoff.next(isHangUp(error));
    const since = this.#clock.wall();
    // Not unref'd: while it waits nothing else may keep the process alive.
    this.#waitTimer = this.#clock.setTimeout(() => this.#begin(), delay);
    this.#enter({ kind: 'waiting', since, attempt: this.#attempts + 1, until: since + delay, error });
    this.#restIfUnused();
  }

  /** For good. */
  #stop(why: ViasshError | undefined, options: CloseOptions = {}, forWaiters?: ViasshError): void {
    const connection = this.#takeLink();
    this.#leave();
    this.#clock.clearTimeout(this.#lifeTimer);
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    if (connection !== undefined) this.#discard(connection, options);
    this.#enter({ kind: 'stopped', since: this.#clock.wall(), error: why });
    this.#waiters.reject(forWaiters ?? this.#notUp());
    void this.#settle(why === undefined ? { kind: 'closed' } : { kind: 'lost', error: why });
  }

  async #settle(reason: CloseReason): Promise<void> {
    while (this.#endings.size > 0) await Promise.all(this.#endings); // the end of an attempt may add that of its connection
    this.#resolveStopped(reason);
  }

  /** Until somebody asks again. */
  #rest(): void {
    const connection = this.#takeLink();
    this.#leave();
    this.#attempts = 0;
    this.#backoff.rests();
    if (connection !== undefined) this.#discard(connection);
    this.#enter({ kind: 'idle', since: this.#clock.wall() });
  }

  #leave(): void {
    this.#attempt?.cancel.abort();
    this.#attempt = undefined;
    this.#clock.clearTimeout(this.#waitTimer);
    this.#used();
    this.#watches?.[Symbol.dispose]();
    this.#watches = undefined;
  }

  get #isUnused(): boolean {
    return this.#holds === 0 && this.#waiters.size === 0;
  }

  /** Begins to count, unless it does so already. */
  #restIfUnused(): void {
    const { idleMs } = this.#options;
    const { kind } = this.#state;
    if (idleMs === undefined || this.#idleTimer !== undefined || !this.#isUnused) return;
    if (kind === 'idle' || kind === 'stopped') return;
    this.#idleTimer = this.#clock.setTimeout(() => {
      this.#idleTimer = undefined;
      if (this.#isUnused) this.#rest();
    }, idleMs);
    this.#idleTimer.unref();
  }

  #used(): void {
    this.#clock.clearTimeout(this.#idleTimer);
    this.#idleTimer = undefined;
  }

  #watch(): void {
    if (this.#watches !== undefined) return;
    const watches = new DisposableStack();
    this.#watches = watches;
    const watch = this.#options.watchNetwork ?? ((changed) => watchNetwork(changed, this.#clock));
    watches.use(watchWake(this.#clock, (what) => this.#onWake(what)));
    watches.use(watch((change) => this.#onNetwork(change)));
  }

  #onWake(what: string): void {
    if (this.#state.kind === 'waiting') this.#cutWaitUnlessPenalised(what);
    else if (this.#attempt !== undefined) this.#beginAnew(what);
    else this.#suspect(what);
  }

  #onNetwork({ gone, come }: NetworkChange): void {
    const what = gone.length > 0 ? `gone: ${some(gone)}` : `new: ${some(come)}`;
    if (this.#state.kind === 'waiting') this.#cutWaitUnlessPenalised(what);
    else if (gone.length === 0) return;
    else if (this.#attempt === undefined) this.#suspect(what);
    else if (this.#clock.now() - this.#attempt.since > STALE_ATTEMPT_MS) this.#beginAnew(what);
  }

  #suspect(why: string): void {
    if (this.#options.probe !== false) this.#link?.probeNow(why);
  }

  #cutWaitUnlessPenalised(why: string): void {
    if (!this.#backoff.isPenalised) this.#cutWait(why);
  }

  #cutWait(why: string): void {
    this.#options.log.info(`${why}: trying now`);
    this.#begin();
  }

  /** The attempt under way leads nowhere. The first of all is left alone: a person may be answering its questions. */
  #beginAnew(why: string): void {
    if (!this.#established) return;
    this.#options.log.info(`${why}: trying anew`);
    this.#attempt?.cancel.abort();
    this.#attempts -= 1;
    this.#starts -= 1;
    this.#begin();
  }

  #drop(error: ViasshError): void {
    const connection = this.#takeLink();
    this.#failed(error, { atOnce: true }); // told before: closing would end its channels as if all were well
    if (connection !== undefined) this.#discard(connection);
  }

  #discard(connection: Connection, options: CloseOptions = {}): void {
    this.#track(connection.close(options));
  }

  #track(work: Promise<unknown>): void {
    const ending = work
      .catch((error: unknown) => this.#options.log.debug(toViasshError(error).message))
      .finally(() => this.#endings.delete(ending));
    this.#endings.add(ending);
  }

  #notUp(): ViasshError {
    if (this.#state.kind === 'stopped')
      return this.#state.error ?? new ViasshError('CONNECTION_CLOSED', 'the connection is not kept up any more');
    return (
      this.#lastError ??
      new ViasshError('CONNECT_TIMEOUT', 'the connection is not up yet', { hint: 'try again in a moment' })
    );
  }

  #enter(state: SupervisorState): void {
    this.#state = state;
    describeState(state, { ups: this.#ups, log: this.#options.log });
    for (const listener of Array.from(this.#stateListeners)) this.#tell(listener, state);
  }

  #tell<T>(listener: (value: T) => void, value: T): void {
    try {
      listener(value);
    } catch (error) {
      this.#options.log.debug(`a listener failed: ${toViasshError(error).message}`);
    }
  }
}

function some(all: readonly string[]): string {
  const [first, ...others] = all;
  return others.length === 0 ? `${first}` : `${first} and ${others.length} more`;
}
