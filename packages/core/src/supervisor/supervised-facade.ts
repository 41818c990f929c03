import { setMaxListeners } from 'node:events';
import { type Capability, capabilityMissing } from '../connection/capability.ts';
import type { Channel, SessionChannel } from '../connection/channel.ts';
import { checkTcpipTarget } from '../connection/check-tcpip-target.ts';
import type { CloseOptions, CloseReason, TcpipTarget } from '../connection/connection.ts';
import type { ConnectionInfo } from '../connection/connection-info.ts';
import type { IncomingChannelHandler, IncomingChannelType } from '../connection/incoming-channel.ts';
import type { PacketChannel, TunRequest } from '../connection/packet-channel.ts';
import { type Pipe, pipe, type PipeOptions } from '../connection/pipe.ts';
import type { RemoteForwardRequest, RemoteListener } from '../connection/remote-forward.ts';
import type { SessionRequest } from '../connection/session-request.ts';
import { abortedError, ViasshError } from '../errors/viassh-error.ts';
import { type Clock, type ClockTimer, systemClock } from './clock.ts';
import { ConnectionUse } from './connection-use.ts';
import type { FarSshd } from './far-sshd.ts';
import { LEARN_MS, pauseFor, StickyForward, type StickyForwardInit } from './sticky-forward.ts';
import type { SupervisedForward } from './supervised-forward.ts';
import { countedIncoming, StickyHandlers } from './sticky-handlers.ts';
import type { SupervisedConnection, SupervisedConnectionOptions } from './supervised-connection.ts';
import type { Supervisor, SupervisorState } from './supervisor.ts';
import type { Traffic, TrafficCounter } from './traffic.ts';
import type { Connection } from '../connection/connection.ts';

type Signalled = { readonly signal?: AbortSignal | undefined };

/** {@link SupervisedConnection} around a supervisor. */
export class SupervisedFacade implements SupervisedConnection {
  readonly closed: Promise<CloseReason>;
  readonly #traffic: TrafficCounter = { open: 0, channels: 0, sent: 0, received: 0 };
  readonly #supervisor: Supervisor;
  readonly #options: SupervisedConnectionOptions;
  readonly #clock: Clock;
  readonly #listening: readonly Disposable[];
  readonly #forwards = new Set<StickyForward>();
  readonly #handlers: StickyHandlers;
  #use: ConnectionUse | undefined;
  /** The account does not say who serves us. */
  #isMute = false;
  /** Idle, or dialling since somebody woke it. */
  #resting: boolean;
  /** Ends what waits and what is being opened, with the reason. */
  readonly #end = new AbortController();
  readonly #hurry = Promise.withResolvers<void>();
  #closing: Promise<void> | undefined;
  #resolveClosed!: (reason: CloseReason) => void;

  constructor(supervisor: Supervisor, options: SupervisedConnectionOptions) {
    this.#supervisor = supervisor;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#handlers = new StickyHandlers(options.log);
    this.#resting = supervisor.state.kind === 'idle';
    setMaxListeners(0, this.#end.signal); // one for each that waits or opens
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#listening = [
      supervisor.onUp((connection) => void this.#useOf(connection)),
      supervisor.onState((state) => this.#stateChanged(state)),
    ];
    void supervisor.stopped.then((reason) => this.#stopped(reason));
  }

  get transport(): string {
    return this.#use?.connection.transport ?? this.#options.expected?.transport ?? 'none yet';
  }

  get capabilities(): ReadonlySet<Capability> {
    return this.#use?.connection.capabilities ?? this.#options.expected?.capabilities ?? new Set();
  }

  get info(): ConnectionInfo {
    return this.#use?.connection.info ?? this.#options.expected?.info ?? nothingKnown;
  }

  get traffic(): Traffic {
    return { ...this.#traffic };
  }

  get forwards(): readonly SupervisedForward[] {
    return [...this.#forwards];
  }

  async openSession(request: SessionRequest): Promise<SessionChannel> {
    const open: Opening<SessionChannel> = async (use, signal) =>
      use.adopt(await use.connection.openSession({ ...request, signal }));
    return await this.#open(request.signal, open, { tries: 1 });
  }

  async openDirectTcpip(target: TcpipTarget, { signal }: Signalled = {}): Promise<Channel> {
    checkTcpipTarget(target); // a mistake needs no connection to be one
    return await this.#open(signal, async (use, ending) =>
      use.adopt(await use.connection.openDirectTcpip(target, { signal: ending })),
    );
  }

  async openDirectStreamlocal(path: string, { signal }: Signalled = {}): Promise<Channel> {
    return await this.#open(signal, async (use, ending) =>
      use.adopt(await use.connection.openDirectStreamlocal(path, { signal: ending })),
    );
  }

  async openTun(request: TunRequest): Promise<PacketChannel> {
    return await this.#open(request.signal, async (use, signal) =>
      use.adoptTun(await use.connection.openTun({ ...request, signal })),
    );
  }

  async requestForward(
    request: RemoteForwardRequest,
    handler: IncomingChannelHandler,
    { signal }: Signalled = {},
  ): Promise<RemoteListener> {
    const ask: StickyForwardInit['ask'] = (use, place, ending) =>
      use.connection.requestForward(place, (incoming) => handler(countedIncoming(incoming, use)), { signal: ending });
    const stand: Opening<RemoteListener> = async (use, ending) => {
      if (this.#options.evict === true)
        await Promise.race([this.#farSshd(use), pauseFor(LEARN_MS, this.#clock, ending)]);
      return this.#keepForward(use, request, ask, await ask(use, request, ending));
    };
    return await this.#open(signal, stand, { tries: Infinity, waitMs: undefined });
  }

  onIncomingChannel(type: IncomingChannelType, handler: IncomingChannelHandler): Disposable {
    const needed = type === 'x11' ? 'x11' : 'agent';
    const { capabilities } = this;
    if (capabilities.size > 0 && !capabilities.has(needed)) throw capabilityMissing(this.transport, needed);
    return this.#handlers.take(type, handler, this.#use?.alive === true ? this.#use : undefined);
  }

  async ping({ signal }: Signalled = {}): Promise<number | undefined> {
    return await this.#open(signal, async (use, ending) => await use.connection.ping({ signal: ending }), { tries: 1 });
  }

  async pipe(command: string, options?: PipeOptions): Promise<Pipe> {
    return await pipe(this, { kind: 'exec', command }, options);
  }

  async close({ drainMs }: CloseOptions = {}): Promise<void> {
    if (drainMs === undefined) this.#hurry.resolve();
    this.#closing ??= this.#shutDown(drainMs);
    await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** On the connection that is there or comes; when it is lost under it, on the next, up to `tries`. */
  async #open<T>(caller: AbortSignal | undefined, open: Opening<T>, how: OpeningOptions = {}): Promise<T> {
    const { tries = 2, waitMs } = { waitMs: this.#options.waitMs, ...how };
    const ending = this.#end.signal;
    const signal = caller === undefined ? ending : AbortSignal.any([caller, ending]);
    using _used = this.#supervisor.hold();
    for (let left = tries; ; left -= 1) {
      if (signal.aborted) throw abortedError(signal.reason);
      const use = this.#useNow() ?? this.#useOf(await this.#next(signal, waitMs));
      try {
        return await open(use, signal);
      } catch (error) {
        if (signal.aborted) throw abortedError(signal.reason);
        const loss = use.lossOf(error);
        if (loss === undefined) throw error;
        if (left <= 1) throw loss;
        await untilEither(use.over, signal);
      }
    }
  }

  /** Where one is up nobody has to wait for it. */
  #useNow(): ConnectionUse | undefined {
    return this.#use?.alive === true && this.#supervisor.state.kind === 'up' ? this.#use : undefined;
  }

  /** Who wakes a connection that was idle waits for the outcome, however short the others' patience is when it is down. */
  async #next(signal: AbortSignal, waitMs: number | undefined): Promise<Connection> {
    if (!this.#resting) return await this.#supervisor.current({ signal, waitMs });
    const failed = new AbortController();
    using _told = this.#supervisor.onState((state) => {
      if (state.kind === 'waiting') failed.abort(state.error);
    });
    const either = waitMs === 0 ? AbortSignal.any([signal, failed.signal]) : signal;
    return await this.#supervisor.current({ signal: either, waitMs: waitMs === 0 ? undefined : waitMs });
  }

  #useOf(connection: Connection): ConnectionUse {
    if (this.#use?.connection === connection) return this.#use;
    const use = new ConnectionUse(connection, this.#supervisor, this.#traffic);
    this.#use = use;
    if (this.#end.signal.aborted) return use;
    for (const forward of this.#forwards) void forward.standUpOn(use);
    this.#handlers.registerOn(use);
    return use;
  }

  #keepForward(
    use: ConnectionUse,
    request: RemoteForwardRequest,
    ask: StickyForwardInit['ask'],
    listener: RemoteListener,
  ): RemoteListener {
    const hold = this.#supervisor.hold();
    const forward = new StickyForward({
      address: listener.address,
      request,
      ask,
      onClosed: () => {
        this.#forwards.delete(forward);
        hold[Symbol.dispose]();
      },
      evict: this.#options.evict ?? false,
      farSshd: (on) => this.#farSshd(on),
      log: this.#options.log,
      clock: this.#clock,
    });
    this.#forwards.add(forward);
    forward.standOn(use, listener);
    if (this.#use !== undefined && this.#use !== use) void forward.standUpOn(this.#use);
    if (this.#end.signal.aborted) forward.end();
    return forward;
  }

  /** An account that answers with something else is not asked again: each time a program of its own would be started there. */
  async #farSshd(use: ConnectionUse): Promise<FarSshd | undefined> {
    if (this.#isMute) return undefined;
    const sshd = await use.farSshd();
    if (sshd === undefined && use.alive) this.#isMute = true;
    return sshd;
  }

  /** A connection that the supervisor found dead says so to nobody: closing it would look as if all were well. */
  #stateChanged(state: SupervisorState): void {
    this.#resting = state.kind === 'idle' || (state.kind === 'connecting' && this.#resting);
    const use = this.#use;
    if (use === undefined || this.#end.signal.aborted || use.connection.info.state !== 'up') return;
    if (state.kind === 'waiting') use.giveUp(state.error);
    else if (state.kind === 'connecting') use.giveUp();
    else if (state.kind === 'stopped' && state.error !== undefined) use.giveUp(state.error);
  }

  #stopped(reason: CloseReason): void {
    this.#end.abort(reason.kind === 'lost' ? reason.error : connectionClosed());
    this.#leave();
    this.#resolveClosed(reason);
  }

  async #shutDown(drainMs: number | undefined): Promise<void> {
    this.#end.abort(connectionClosed());
    if (this.#options.shared !== true) {
      if (drainMs !== undefined) void this.#hurry.promise.then(() => this.#supervisor.close());
      await this.#supervisor.close({ drainMs });
      await this.closed;
      return;
    }
    await Promise.all([...this.#forwards].map((forward) => forward.close()));
    if (drainMs !== undefined) await this.#drain(drainMs);
    this.#leave();
    this.#use?.endAll();
    this.#resolveClosed({ kind: 'closed' });
  }

  #leave(): void {
    for (const forward of this.#forwards) forward.end();
    this.#handlers.clear();
    for (const one of this.#listening) one[Symbol.dispose]();
  }

  async #drain(ms: number): Promise<void> {
    let timer: ClockTimer | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = this.#clock.setTimeout(resolve, ms);
    });
    await Promise.race([this.#use?.idle(), timeout, this.#hurry.promise]);
    this.#clock.clearTimeout(timer);
  }
}

type Opening<T> = (use: ConnectionUse, signal: AbortSignal) => Promise<T>;

interface OpeningOptions {
  /** Default: 2. */
  readonly tries?: number;
  /** Default: that of the connection. */
  readonly waitMs?: number | undefined;
}

const nothingKnown: ConnectionInfo = { peer: 'nobody yet', state: 'ended', hops: [] };

function connectionClosed(): ViasshError {
  return new ViasshError('CONNECTION_CLOSED', 'the connection was closed');
}

async function untilEither(over: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const onAbort = (): void => resolve();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) resolve();
  await Promise.race([over, promise]);
  signal.removeEventListener('abort', onAbort);
}
