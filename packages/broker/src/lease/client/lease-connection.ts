import {
  abortedError,
  type Capability,
  capabilityMissing,
  type Channel,
  checkTcpipTarget,
  type CloseOptions,
  type CloseReason,
  type Connection,
  type ConnectionInfo,
  type HopInfo,
  type IncomingChannelHandler,
  type IncomingChannelType,
  type PacketChannel,
  type Pipe,
  pipe,
  type PipeOptions,
  type RemoteAddress,
  type RemoteForwardRequest,
  type RemoteListener,
  type SessionChannel,
  sessionEnvironment,
  type SessionRequest,
  type TcpipTarget,
  type TunRequest,
  ViasshError,
} from '@viassh/core';
import { errorOf } from '../wire/failure.ts';
import { FrameKind } from '../wire/frame.ts';
import { FrameWire } from '../wire/frame-wire.ts';
import type { LeaseHello } from '../wire/hello.ts';
import { jsonBody } from '../wire/json-body.ts';
import type { Opening } from '../wire/opening.ts';
import { windowFor } from '../wire/window.ts';
import { LeaseChannel } from './lease-channel.ts';
import { LeaseListener } from './lease-listener.ts';
import { decide, readOffer } from './lease-offer.ts';
import { LeaseSession } from './lease-session.ts';
import { LeaseTun } from './lease-tun.ts';
import type { LeasedId } from './leased-id.ts';

type Signalled = { readonly signal?: AbortSignal | undefined };

/** How a lease is taken. */
export interface LeaseConnectionOptions extends Signalled {
  /** What SendEnv and SetEnv come to for this client: sent with its sessions in place of the broker's own. Default: the broker's. */
  readonly sessionEnv?: Readonly<Record<string, string>> | undefined;
}

type Answer = Readonly<Record<string, unknown>>;

/** Milliseconds for the broker to close what was ours; then it is left to itself. */
const BYE_DEADLINE = 6000;

/** What `leaseConnection` gives. */
export class LeaseConnection implements Connection {
  readonly transport: string;
  readonly capabilities: ReadonlySet<Capability>;
  readonly info: ConnectionInfo;
  readonly closed: Promise<CloseReason>;
  readonly #wire: FrameWire;
  readonly #sessionEnv: LeaseConnectionOptions['sessionEnv'];
  readonly #ids = new Map<number, LeasedId>();
  readonly #channels = new Set<LeaseChannel>();
  readonly #forwards = new Map<number, IncomingChannelHandler>();
  readonly #handlers = new Map<IncomingChannelType, IncomingChannelHandler>();
  readonly #hurry = Promise.withResolvers<void>();
  readonly #wireEnded = Promise.withResolvers<void>();
  readonly #resolveClosed: (reason: CloseReason) => void;
  #nextId = 1;
  #loss: ViasshError | undefined;
  #closing: Promise<void> | undefined;
  #over = false;

  constructor(
    wire: FrameWire,
    { transport, capabilities, info }: LeaseHello,
    sessionEnv: LeaseConnectionOptions['sessionEnv'],
  ) {
    this.#wire = wire;
    this.#sessionEnv = sessionEnv;
    this.transport = transport;
    this.capabilities = new Set(capabilities);
    const hops = info.hops.map((hop) => this.#live(hop));
    this.info = Object.assign(this.#live(info), { hops });
    const { promise, resolve } = Promise.withResolvers<CloseReason>();
    this.closed = promise;
    this.#resolveClosed = resolve;
  }

  async openSession({ signal, ...asked }: SessionRequest): Promise<SessionChannel> {
    const request =
      this.#sessionEnv === undefined
        ? asked
        : { ...asked, env: sessionEnvironment(this.#sessionEnv, asked), onlyEnv: true };
    if (request.x11 !== undefined && !this.capabilities.has('x11')) throw capabilityMissing(this.transport, 'x11');
    const ownWindow = windowFor(this.#ids.size);
    const opening: Opening = { what: 'session', request, window: ownWindow };
    return await this.#ask(opening, signal, (id, answer) =>
      this.#adopt(id, new LeaseSession({ ...this.#setup(id, ownWindow, answer), ownWindow })),
    );
  }

  async openDirectTcpip(target: TcpipTarget, { signal }: Signalled = {}): Promise<Channel> {
    checkTcpipTarget(target);
    const opening = { what: 'direct-tcpip', target, window: windowFor(this.#ids.size) } as const;
    return await this.#openChannel('direct-tcpip', opening, signal);
  }

  async openDirectStreamlocal(path: string, { signal }: Signalled = {}): Promise<Channel> {
    const opening = { what: 'direct-streamlocal', path, window: windowFor(this.#ids.size) } as const;
    return await this.#openChannel('direct-streamlocal@openssh.com', opening, signal);
  }

  async openTun({ signal, mode, unit }: TunRequest): Promise<PacketChannel> {
    if (unit !== undefined && !Number.isInteger(unit))
      // JSON has no word for all of them
      throw new ViasshError('OPTION_INVALID', `a tun device has a whole number, not ${unit}`);
    const ownWindow = windowFor(0);
    return await this.#ask({ what: 'tun', request: { mode, unit }, window: ownWindow }, signal, (id, answer) => {
      const tun = new LeaseTun(mode, this.#setup(id, ownWindow, answer));
      this.#ids.set(id, tun);
      return tun;
    });
  }

  async requestForward(
    request: RemoteForwardRequest,
    handler: IncomingChannelHandler,
    { signal }: Signalled = {},
  ): Promise<RemoteListener> {
    let asked: number | undefined;
    const onAsked = (id: number): void => {
      asked = id;
      this.#forwards.set(id, handler); // the first channel may come before the answer
    };
    try {
      return await this.#ask(
        { what: 'forward', request },
        signal,
        (id, { address }) => {
          const listener = new LeaseListener(address as RemoteAddress, this.#wire, id, () => this.#forget(id));
          void listener.closed.then(() => this.#forwards.delete(id));
          this.#ids.set(id, listener);
          return listener;
        },
        onAsked,
      );
    } catch (error) {
      if (asked !== undefined) this.#forwards.delete(asked);
      throw error;
    }
  }

  onIncomingChannel(type: IncomingChannelType, handler: IncomingChannelHandler): Disposable {
    const capability = type === 'x11' ? 'x11' : 'agent';
    if (!this.capabilities.has(capability)) throw capabilityMissing(this.transport, capability);
    if (this.#handlers.has(type))
      throw new ViasshError('OPTION_INVALID', `${type} channels of this connection have a handler`, {
        hint: 'dispose of that one first',
      });
    const taken: IncomingChannelHandler = (incoming) => handler(incoming); // one handler may be given twice
    this.#handlers.set(type, taken);
    if (capability === 'agent') this.#wire.send(FrameKind.takeAgent, 0);
    return {
      [Symbol.dispose]: () => {
        if (this.#handlers.get(type) !== taken) return;
        this.#handlers.delete(type);
        if (capability === 'agent') this.#wire.send(FrameKind.giveBackAgent, 0);
      },
    };
  }

  async ping({ signal }: Signalled = {}): Promise<number | undefined> {
    return await this.#ask({ what: 'ping' }, signal, (id, { roundTripMs }) => {
      this.#forget(id);
      return typeof roundTripMs === 'number' ? roundTripMs : undefined;
    });
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

  /** @throws ViasshError PROTOCOL_ERROR */
  frame(kind: number, id: number, body: Buffer): void {
    if (kind === FrameKind.bye) return;
    if (kind === FrameKind.lost) return this.#lost(errorOf(jsonBody(body)));
    if (kind === FrameKind.incoming) return this.#offered(id, body);
    const leased = this.#ids.get(id);
    if (leased !== undefined) return leased.frame(kind, body);
    const known = id % 2 === 1 ? id < this.#nextId : id > 0;
    if (!known) throw new ViasshError('PROTOCOL_ERROR', `the broker spoke of ${id}, which nobody has opened`);
  }

  /** The socket is gone. */
  ended(error: ViasshError | undefined): void {
    this.#over = true;
    this.#wireEnded.resolve();
    if (this.#closing !== undefined && this.#loss === undefined) return this.#endAll(undefined);
    const loss =
      this.#loss ?? new ViasshError('CONNECTION_LOST', brokerGone().message, { hint: brokerGone().hint, cause: error });
    this.#lost(loss);
    this.#endAll(loss);
  }

  async #openChannel(
    type: string,
    opening: Opening & { window: number },
    signal: AbortSignal | undefined,
  ): Promise<Channel> {
    return await this.#ask(opening, signal, (id, answer) =>
      this.#adopt(id, new LeaseChannel({ ...this.#setup(id, opening.window, answer), type })),
    );
  }

  /** `opened` runs with the broker's answer, before anything that stands behind it. */
  async #ask<T>(
    opening: Opening,
    signal: AbortSignal | undefined,
    opened: (id: number, answer: Answer) => T,
    asked?: (id: number) => void,
  ): Promise<T> {
    if (this.#loss !== undefined || this.#closing !== undefined) throw this.#endedError();
    if (signal?.aborted === true) throw abortedError(signal.reason);
    const id = this.#nextId;
    this.#nextId += 2;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const onAbort = (): void => {
      this.#wire.send(FrameKind.close, id);
      this.#forget(id);
      reject(abortedError(signal?.reason));
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#ids.set(id, {
      frame: (kind, body) => {
        this.#ids.delete(id);
        signal?.removeEventListener('abort', onAbort);
        if (kind === FrameKind.opened) resolve(opened(id, jsonBody(body)));
        else if (kind === FrameKind.failed) reject(errorOf(jsonBody(body)));
        else throw new ViasshError('PROTOCOL_ERROR', `a frame of kind ${kind} is no answer`);
        this.#endWhenDrained();
      },
      lost: reject,
      ended: (error) => reject(error ?? this.#endedError()),
    });
    asked?.(id);
    this.#wire.sendJson(FrameKind.open, id, opening);
    return await promise.finally(() => signal?.removeEventListener('abort', onAbort));
  }

  #setup(
    id: number,
    ownWindow: number,
    { window }: Answer,
  ): Omit<ConstructorParameters<typeof LeaseChannel>[0], 'type'> {
    if (typeof window !== 'number')
      throw new ViasshError('PROTOCOL_ERROR', 'the broker opened a channel without a window');
    return { wire: this.#wire, id, ownWindow, brokerWindow: window, forget: () => this.#forget(id) };
  }

  #adopt<T extends LeaseChannel>(id: number, channel: T): T {
    this.#ids.set(id, channel);
    this.#channels.add(channel);
    void channel.gone.then(() => this.#channels.delete(channel));
    if (this.#loss !== undefined) channel.lost(this.#loss);
    return channel;
  }

  #offered(id: number, body: Buffer): void {
    const offer = readOffer(jsonBody(body));
    const { forward, type } = offer;
    const handler =
      forward === undefined ? this.#handlers.get(type as IncomingChannelType) : this.#forwards.get(forward);
    if (handler === undefined || this.#closing !== undefined)
      return this.#wire.sendText(FrameKind.refuse, id, 'nobody takes it any more');
    let isOpen = true;
    this.#ids.set(id, {
      frame: () => undefined,
      lost: () => (isOpen = false),
      ended: () => (isOpen = false),
    });
    void decide(offer, handler, {
      accept: () => {
        const ownWindow = windowFor(this.#ids.size);
        const channel = new LeaseChannel({ ...this.#setup(id, ownWindow, { window: offer.brokerWindow }), type });
        if (isOpen) this.#wire.sendJson(FrameKind.accept, id, { window: ownWindow });
        this.#adopt(id, channel);
        if (!isOpen) channel.ended(this.#loss);
        return channel;
      },
      refuse: (message) => {
        this.#wire.sendText(FrameKind.refuse, id, message);
        this.#forget(id);
      },
    });
  }

  #forget(id: number): void {
    this.#ids.delete(id);
    this.#endWhenDrained();
  }

  /** The connection is lost, and nothing more is to be read: the socket must not keep a process alive. */
  #endWhenDrained(): void {
    if (this.#loss !== undefined && this.#ids.size === 0) this.#wire.end();
  }

  #lost(error: ViasshError): void {
    if (this.#loss !== undefined || (this.#closing !== undefined && this.#over)) return;
    this.#loss = error;
    this.#hurry.resolve();
    for (const leased of this.#ids.values()) leased.lost(error);
    this.#resolveClosed({ kind: 'lost', error });
    this.#endWhenDrained();
  }

  #endAll(error: ViasshError | undefined): void {
    const all = [...this.#ids.values()];
    this.#ids.clear();
    for (const leased of all) leased.ended(error);
    this.#forwards.clear();
    this.#handlers.clear();
  }

  async #shutDown(drainMs: number | undefined): Promise<void> {
    for (const leased of this.#ids.values()) if (leased instanceof LeaseListener) void leased.close();
    if (drainMs !== undefined) await this.#drain(drainMs);
    for (const channel of this.#channels) channel.destroy();
    this.#wire.send(FrameKind.bye, 0);
    const timer = setTimeout(() => this.#wire.destroy(), BYE_DEADLINE);
    if (!this.#over) await this.#wireEnded.promise;
    clearTimeout(timer);
    this.#wire.destroy();
    this.#endAll(this.#loss);
    this.#resolveClosed(this.#loss === undefined ? { kind: 'closed' } : { kind: 'lost', error: this.#loss });
  }

  /** A tun channel has no end of its own to wait for. */
  async #drain(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await Promise.race([Promise.all([...this.#channels].map(({ gone }) => gone)), timeout, this.#hurry.promise]);
    clearTimeout(timer);
  }

  #endedError(): ViasshError {
    return this.#loss ?? new ViasshError('CONNECTION_CLOSED', 'the lease of the connection was given back');
  }

  #live(hop: HopInfo): HopInfo {
    const state = (): HopInfo['state'] => (this.#loss === undefined && this.#closing === undefined ? 'up' : 'ended');
    return Object.defineProperty({ ...hop }, 'state', { get: state, enumerable: true });
  }
}

/** What a command is told whose broker went away. */
export function brokerGone(): ViasshError {
  return new ViasshError('CONNECTION_LOST', 'the broker that lent us the connection went away', {
    hint: 'with --no-broker the command connects itself',
  });
}
