import type { CloseOptions, CloseReason, Connection } from '../connection/connection.ts';
import { abortedError, toViasshError, ViasshError } from '../errors/viassh-error.ts';
import { Backoff } from './backoff.ts';
import { type Clock, type ClockTimer, systemClock } from './clock.ts';
import { probe } from './probe.ts';
import { isHangUp, mayRetry } from './retry-policy.ts';
import { describeState } from './describe-state.ts';
import type { SuperviseOptions } from './supervise-options.ts';
import type { Supervisor, SupervisorState } from './supervisor.ts';
import { Waiters } from './waiters.ts';
import { type NetworkChange, watchNetwork } from './watch-network.ts';
import { watchWake } from './watch-wake.ts';

/** For the first answer of a connection, and for those asked for now and then: a busy link is slow, and not dead. */
const PATIENT_MS = 15_000;
/** For the answer after a wake: so long, or four times what it took the last time. */
const SHORT_MS = 1000;
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

/** A connection that is up. */
interface Link {
  readonly connection: Connection;
  /** By the clock's `now()`. */
  readonly since: number;
  roundTripMs: number | undefined;
  /** When the probe under way is over, by the clock's `now()`. */
  probeEnds?: number | undefined;
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
  #pollTimer: ClockTimer | undefined;
  #lifeTimer: ClockTimer | undefined;

  constructor(connect: (signal: AbortSignal) => Promise<Connection>, options: SuperviseOptions) {
    const { promise, resolve } = Promise.withResolvers<CloseReason>();
    this.stopped = promise;
    this.#resolveStopped = resolve;
    this.#connect = connect;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#backoff = new Backoff(options.backoff ?? {}, options.random ?? Math.random);
    this.#waiters = new Waiters(this.#clock, () => this.#restIfUnused());
    this.#state = { kind: 'idle', since: this.#clock.wall() };
    const { signal, maxLifetimeMs, lazy = false } = options;
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (maxLifetimeMs !== undefined) {
      this.#lifeTimer = this.#clock.setTimeout(() => void this.close(), maxLifetimeMs);
      this.#lifeTimer.unref();
    }
    if (signal?.aborted === true) this.#onAbort();
    else if (!lazy) this.#begin();
  }

  get state(): SupervisorState {
    return this.#state;
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
    if (this.#link !== undefined) {
      this.#restIfUnused();
      return this.#link.connection;
    }
    if (this.#state.kind === 'stopped') throw this.#notUp();
    clear(this.#clock, this.#idleTimer);
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
    clear(this.#clock, this.#idleTimer);
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
    else this.#probe(why, this.#shortLimit());
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

  #begin(): void {
    clear(this.#clock, this.#waitTimer);
    if (this.#starts >= (this.#options.maxStarts ?? Infinity)) return this.#stop(this.#lastError);
    this.#starts += 1;
    this.#attempts += 1;
    const attempt: Attempt = { cancel: new AbortController(), since: this.#clock.now() };
    this.#attempt = attempt;
    this.#watch();
    this.#enter({ kind: 'connecting', since: this.#clock.wall(), attempt: this.#attempts });
    if (this.#attempt === attempt) this.#track(this.#run(attempt));
  }

  async #run(attempt: Attempt): Promise<void> {
    let connection: Connection | undefined;
    try {
      connection = await this.#connect(attempt.cancel.signal);
      const roundTripMs =
        this.#attempt === attempt ? await probe(connection, { clock: this.#clock, limitMs: PATIENT_MS }) : undefined;
      if (roundTripMs === 'silent') throw silence('after the login', PATIENT_MS);
      if (this.#attempt === attempt) this.#cameUp(connection, roundTripMs);
      else this.#discard(connection);
    } catch (error) {
      if (connection !== undefined) this.#discard(connection);
      if (this.#attempt === attempt) this.#failed(toViasshError(error));
    }
  }

  #cameUp(connection: Connection, roundTripMs: number | undefined): void {
    const link: Link = { connection, since: this.#clock.now(), roundTripMs };
    this.#attempt = undefined;
    this.#link = link;
    this.#ups += 1;
    this.#attempts = 0;
    this.#lastError = undefined;
    void connection.closed.then((reason) => this.#ended(link, reason));
    this.#state = { kind: 'up', since: this.#clock.wall(), roundTripMs };
    for (const listener of this.#upListeners) this.#tell(listener, connection);
    if (this.#link !== link) return; // a listener has closed it
    this.#waiters.resolve(connection);
    this.#enter(this.#state);
    this.#poll(this.#options.firstPollMs ?? this.#options.pollMs);
    this.#restIfUnused();
  }

  /** It is gone, or it has to go. */
  #takeLink(): Connection | undefined {
    const link = this.#link;
    if (link === undefined) return undefined;
    this.#link = undefined;
    clear(this.#clock, this.#pollTimer);
    const upMs = this.#clock.now() - link.since;
    this.#established ||= upMs >= (this.#options.gateMs ?? 0);
    this.#backoff.wasUp(upMs);
    return link.connection;
  }

  #ended(link: Link, reason: CloseReason): void {
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
  #stop(error: ViasshError | undefined, options: CloseOptions = {}, forWaiters?: ViasshError): void {
    const connection = this.#takeLink();
    this.#leave();
    clear(this.#clock, this.#lifeTimer);
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    if (connection !== undefined) this.#discard(connection, options);
    this.#enter({ kind: 'stopped', since: this.#clock.wall(), error });
    this.#waiters.reject(forWaiters ?? this.#notUp());
    void Promise.allSettled(this.#endings).then(() =>
      this.#resolveStopped(error === undefined ? { kind: 'closed' } : { kind: 'lost', error }),
    );
  }

  /** Until somebody asks again. */
  #rest(): void {
    const connection = this.#takeLink();
    this.#leave();
    this.#attempts = 0;
    if (connection !== undefined) this.#discard(connection);
    this.#enter({ kind: 'idle', since: this.#clock.wall() });
  }

  #leave(): void {
    this.#attempt?.cancel.abort();
    this.#attempt = undefined;
    for (const timer of [this.#waitTimer, this.#idleTimer, this.#pollTimer]) clear(this.#clock, timer);
    this.#watches?.[Symbol.dispose]();
    this.#watches = undefined;
  }

  get #isUnused(): boolean {
    return this.#holds === 0 && this.#waiters.size === 0;
  }

  #restIfUnused(): void {
    const { idleMs } = this.#options;
    const { kind } = this.#state;
    clear(this.#clock, this.#idleTimer);
    if (idleMs === undefined || kind === 'idle' || kind === 'stopped' || !this.#isUnused) return;
    this.#idleTimer = this.#clock.setTimeout(() => {
      if (this.#isUnused) this.#rest();
    }, idleMs);
    this.#idleTimer.unref();
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
    if (this.#state.kind === 'waiting') this.#cutWait(what);
    else if (this.#attempt !== undefined) this.#beginAnew(what);
    else if (this.#options.probe !== false) this.#probe(what, this.#shortLimit());
  }

  #onNetwork({ gone, come }: NetworkChange): void {
    const what = gone.length > 0 ? `gone: ${gone.join(', ')}` : `new: ${come.join(', ')}`;
    if (this.#state.kind === 'waiting' && !this.#backoff.isPenalised) return this.#cutWait(what);
    if (gone.length === 0) return;
    if (this.#attempt !== undefined && this.#clock.now() - this.#attempt.since > STALE_ATTEMPT_MS)
      this.#beginAnew(what);
    else if (this.#options.probe !== false) this.#probe(what, this.#shortLimit());
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

  #poll(ms: number | undefined): void {
    if (ms === undefined || ms <= 0) return;
    this.#pollTimer = this.#clock.setTimeout(() => {
      this.#probe('the poll', Math.max(PATIENT_MS, this.#shortLimit()));
      this.#poll(this.#options.pollMs);
    }, ms);
    this.#pollTimer.unref();
  }

  #shortLimit(): number {
    return Math.max(SHORT_MS, 4 * (this.#link?.roundTripMs ?? 0));
  }

  #probe(why: string, limitMs: number): void {
    const link = this.#link;
    const ends = this.#clock.now() + limitMs;
    if (link === undefined || (link.probeEnds !== undefined && link.probeEnds <= ends)) return;
    link.probeEnds = ends;
    this.#options.log.debug(`${why}: probing the connection`);
    void probe(link.connection, { clock: this.#clock, limitMs }).then(
      (roundTripMs) => {
        if (link.probeEnds === ends) link.probeEnds = undefined;
        if (this.#link !== link) return;
        if (roundTripMs === 'silent') this.#drop(silence(why, limitMs));
        else this.#answered(link, roundTripMs);
      },
      () => {
        if (link.probeEnds === ends) link.probeEnds = undefined; // what ended it is told by `closed`
      },
    );
  }

  #answered(link: Link, roundTripMs: number | undefined): void {
    link.roundTripMs = roundTripMs;
    if (this.#state.kind === 'up') this.#state = { ...this.#state, roundTripMs };
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
    const ending = work.catch((error: unknown) => this.#options.log.debug(toViasshError(error).message));
    this.#endings.add(ending);
    void ending.then(() => this.#endings.delete(ending));
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
    for (const listener of this.#stateListeners) this.#tell(listener, state);
  }

  #tell<T>(listener: (value: T) => void, value: T): void {
    try {
      listener(value);
    } catch (error) {
      this.#options.log.debug(`a listener failed: ${toViasshError(error).message}`);
    }
  }
}

function silence(when: string, limitMs: number): ViasshError {
  return new ViasshError('CONNECTION_LOST', `no answer within ${(limitMs / 1000).toFixed(1)} s (${when})`, {
    hint: 'the server or the network went away',
  });
}

function clear(clock: Clock, timer: ClockTimer | undefined): void {
  clock.clearTimeout(timer);
}
