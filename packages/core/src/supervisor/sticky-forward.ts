import type { Connection } from '../connection/connection.ts';
import { removeStaleFarSocket } from '../connection/far-socket.ts';
import type { RemoteAddress, RemoteForwardRequest, RemoteListener } from '../connection/remote-forward.ts';
import { toViasshError, type ViasshError } from '../errors/viassh-error.ts';
import type { Logger } from '../log/logger.ts';
import type { Clock } from './clock.ts';
import type { ConnectionUse } from './connection-use.ts';
import type { FarSshd } from './far-sshd.ts';
import type { RemoteForwardState, SupervisedForward } from './supervised-forward.ts';

/** What a {@link StickyForward} is made from. */
export interface StickyForwardInit {
  readonly address: RemoteAddress;
  readonly request: RemoteForwardRequest;
  /** Asks one connection for it. @throws as Connection.requestForward */
  readonly ask: (use: ConnectionUse, request: RemoteForwardRequest, signal: AbortSignal) => Promise<RemoteListener>;
  /** Nobody waits for it any more. Called once. */
  readonly onClosed: () => void;
  /** May a dead session of ours be ended there? */
  readonly evict: boolean;
  /** Who serves that connection, where it can be told. */
  readonly farSshd: (use: ConnectionUse) => Promise<FarSshd | undefined>;
  readonly log: Logger;
  readonly clock: Clock;
}

/** Milliseconds to the next attempt; the last one from then on. */
const schedule: readonly number[] = [250, 500, 1000, 2000, 4000, 8000, 15_000, 30_000];

/** Milliseconds that are waited for the name of our session: an account may answer no command. */
export const LEARN_MS = 1000;

/** Stands on one connection after the other, at the place that it got first. */
export class StickyForward implements RemoteListener, SupervisedForward {
  readonly address: RemoteAddress;
  readonly closed: Promise<void>;
  readonly #init: StickyForwardInit;
  readonly #request: RemoteForwardRequest;
  #state: RemoteForwardState;
  #listener: RemoteListener | undefined;
  /** Those of our sessions that may listen there; where an answer was lost it is not known which. */
  #holders: readonly FarSshd[] = [];
  #evictions = 0;
  #attempts = new AbortController();
  #closing: Promise<void> | undefined;
  #resolveClosed!: () => void;

  constructor(init: StickyForwardInit) {
    const { address, request } = init;
    this.#init = init;
    this.address = address;
    this.#request = request.kind === 'tcpip' && address.kind === 'tcpip' ? { ...request, port: address.port } : request;
    this.#state = { kind: 'down', since: init.clock.wall() };
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  get state(): RemoteForwardState {
    return this.#state;
  }

  get holder(): FarSshd | undefined {
    return this.#holders.at(-1);
  }

  get evictions(): number {
    return this.#evictions;
  }

  /** It was granted on this connection. */
  standOn(use: ConnectionUse, listener: RemoteListener): void {
    this.#listener = listener;
    this.#holders = [];
    if (this.#init.evict) void this.#learnHolder(use, listener);
    this.#state = { kind: 'standing', since: this.#init.clock.wall() };
    void listener.closed.then(() => this.#fellOn(use, listener));
  }

  /** Asks this connection for it, until it stands, or the connection has ended, or another one came. */
  async standUpOn(use: ConnectionUse, firstDelayMs?: number): Promise<void> {
    if (this.#closing !== undefined) return;
    this.#attempts.abort();
    const attempts = new AbortController();
    this.#attempts = attempts;
    this.#listener = undefined;
    void use.over.then(() => attempts.abort());
    const { signal } = attempts;
    if (firstDelayMs !== undefined) await pauseFor(firstDelayMs, this.#init.clock, signal);
    for (let attempt = 1; use.alive && !signal.aborted; attempt += 1) {
      const error = await this.#attempt(use, attempt, signal);
      if (error === undefined || signal.aborted || !use.alive) break;
      if (!(await this.#makeRoom(error, attempt, use, signal))) await this.#waitFor(attempt, error, signal);
    }
    if (this.#attempts === attempts && this.#listener === undefined)
      this.#state = { kind: 'down', since: this.#init.clock.wall() };
  }

  /** Its connection ends, and no other comes. */
  end(): void {
    this.#closing ??= Promise.resolve();
    this.#attempts.abort();
    this.#finish();
  }

  async close(): Promise<void> {
    this.#closing ??= this.#cancel();
    await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #cancel(): Promise<void> {
    this.#attempts.abort();
    await this.#listener?.close();
    this.#finish();
  }

  #finish(): void {
    this.#state = { kind: 'down', since: this.#init.clock.wall() };
    this.#resolveClosed();
    this.#init.onClosed();
  }

  /** @returns why not; undefined when it stands, or nobody wants it any more */
  async #attempt(use: ConnectionUse, attempt: number, signal: AbortSignal): Promise<ViasshError | undefined> {
    const { clock, log, ask } = this.#init;
    this.#state = { kind: 'asking', since: clock.wall(), attempt };
    if (this.#init.evict) await this.#learnBefore(use, signal);
    try {
      const listener = await ask(use, this.#request, signal);
      if (signal.aborted) {
        await listener.close();
        return undefined;
      }
      this.standOn(use, listener);
      log.info(`the far end listens on ${describePlace(this.address)} again (attempt ${attempt})`);
      return undefined;
    } catch (error) {
      return toViasshError(error);
    }
  }

  async #learnHolder(use: ConnectionUse, listener: RemoteListener): Promise<void> {
    const sshd = await this.#init.farSshd(use);
    if (this.#listener === listener && sshd !== undefined) this.#holders = [sshd];
  }

  /** A connection that is lost once it was asked may leave a session that nobody could name any more. */
  async #learnBefore(use: ConnectionUse, signal: AbortSignal): Promise<void> {
    const sshd = await Promise.race([this.#init.farSshd(use), pauseFor(LEARN_MS, this.#init.clock, signal)]);
    if (sshd !== undefined && !this.#holders.includes(sshd)) this.#holders = [...this.#holders, sshd];
  }

  /** Has what our own dead session left there taken away. @returns whether it is worth asking again at once */
  async #makeRoom(error: ViasshError, attempt: number, use: ConnectionUse, signal: AbortSignal): Promise<boolean> {
    if (error.code !== 'FORWARD_REFUSED') return false;
    const { log } = this.#init;
    let changed = false;
    for (const holder of attempt > 1 ? this.#holders : []) {
      const outcome = await use.evict(holder, signal);
      changed ||= outcome === 'ended' || outcome === 'gone';
      if (outcome === 'ended' || outcome === 'gone') this.#holders = this.#holders.filter((other) => other !== holder);
      if (outcome === 'ended') {
        this.#evictions += 1;
        log.warning(
          `our dead session still listened on ${describePlace(this.address)}: its sshd there (process ${holder.pid}) was ended`,
        );
      }
    }
    if (this.#request.kind === 'streamlocal' && !signal.aborted)
      changed = (await removeStaleFarSocket(use.connection, this.#request.path)) || changed;
    return changed;
  }

  async #waitFor(attempt: number, error: ViasshError, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#init;
    const ms = schedule[Math.min(attempt, schedule.length) - 1] as number;
    const since = clock.wall();
    this.#state = { kind: 'waiting', since, attempt, until: since + ms, error };
    log.warning(
      `the far end does not listen on ${describePlace(this.address)} yet: asked again in ${ms / 1000} s (attempt ${attempt}, ${error.code}): ${error.message}`,
    );
    await pauseFor(ms, clock, signal);
  }

  /** With its connection, as a rule; where a server took it back, it is asked for again. */
  #fellOn(use: ConnectionUse, listener: RemoteListener): void {
    if (this.#listener !== listener || this.#closing !== undefined) return;
    this.#listener = undefined;
    this.#state = { kind: 'down', since: this.#init.clock.wall() };
    if (isUp(use.connection)) void this.standUpOn(use, schedule[0]);
  }
}

/** Until the time has passed, or waiting is of no more use. */
export async function pauseFor(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const onAbort = (): void => resolve();
  const timer = clock.setTimeout(onAbort, ms);
  timer.unref();
  signal.addEventListener('abort', onAbort, { once: true });
  await promise;
  signal.removeEventListener('abort', onAbort);
  clock.clearTimeout(timer);
}

/** `port 8080`, `* port 8080`, or the path of a Unix socket. */
function describePlace(address: RemoteAddress): string {
  if (address.kind === 'streamlocal') return address.path;
  const { bindAddress, port } = address;
  return `${bindAddress === '' || bindAddress === 'localhost' ? '' : `${bindAddress} `}port ${port}`;
}

function isUp({ info }: Pick<Connection, 'info'>): boolean {
  return info.state === 'up';
}
