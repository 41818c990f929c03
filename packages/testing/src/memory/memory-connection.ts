import { connect, type NetConnectOpts, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  abortedError,
  type Capability,
  type Channel,
  type ChannelOpening,
  channelRefused,
  checkTcpipTarget,
  type CloseOptions,
  type CloseReason,
  type Connection,
  type ConnectionInfo,
  type HopInfo,
  type IncomingChannelHandler,
  type IncomingChannelType,
  openFailure,
  type Originator,
  type PacketChannel,
  type Pipe,
  pipe,
  type PipeOptions,
  type ProgramRunner,
  type RemoteForwardRequest,
  type RemoteListener,
  type SessionChannel,
  type SessionRequest,
  type SparePolicy,
  type TcpipTarget,
  type TunRequest,
  ViasshError,
} from '@viassh/core';
import type { FarEnd } from './far-end.ts';
import { echoNetwork } from './far-network.ts';
import { decide } from './incoming.ts';
import { MemoryChannel } from './memory-channel.ts';
import { listenFor, type MemoryListener } from './memory-listener.ts';
import type { FarConnection, MemoryServerOptions, MemoryServerState } from './memory-server.ts';
import { MemorySession } from './memory-session.ts';
import { MemorySessions } from './memory-sessions.ts';
import { MemoryTun } from './memory-tun.ts';
import { dialFarSocket, farEndOf } from './socket-end.ts';

/** The server's options with nothing left open, and what the route and the caller add. */
export interface MemoryConnectionOptions extends MemoryServerOptions {
  readonly programs: ProgramRunner;
  readonly windowSize: number;
  readonly sessionEnv: Readonly<Record<string, string>>;
  readonly spareSession: SparePolicy;
  readonly forwardAgent: boolean;
  /** The socket of the agent that is forwarded. */
  readonly agentSocket: string | undefined;
}

/** A connection to the memory server. */
export class MemoryConnection implements Connection {
  readonly transport = 'memory';
  readonly capabilities: ReadonlySet<Capability>;
  readonly info: ConnectionInfo;
  readonly closed: Promise<CloseReason>;
  readonly #servers: readonly MemoryServerState[];
  readonly #options: MemoryConnectionOptions;
  readonly #sessions: MemorySessions;
  readonly #channels = new Set<MemoryChannel>();
  readonly #tuns = new Set<MemoryTun>();
  readonly #listeners = new Set<MemoryListener>();
  /** Connected on the far end, and nobody has decided. */
  readonly #undecided = new Set<Duplex>();
  readonly #handlers = new Map<IncomingChannelType, IncomingChannelHandler>();
  #ended: CloseReason | undefined;
  #closing = false;
  #resolveClosed: (reason: CloseReason) => void = () => undefined;
  readonly #farSide: FarConnection = {
    lose: () => this.#end({ kind: 'lost', error: connectionLost() }),
    offer: (type, socket, originator) => this.#offer(type, socket, this.#handlers.get(type), originator),
  };

  /** `servers`: of every hop, the destination's last. */
  constructor(
    servers: readonly [...MemoryServerState[], MemoryServerState],
    options: MemoryConnectionOptions,
    capabilities: ReadonlySet<Capability>,
    hops: readonly HopInfo[],
  ) {
    this.#servers = servers;
    this.#options = options;
    this.capabilities = capabilities;
    const live = hops.map((hop) => this.#liveInfo(hop));
    this.info = Object.assign(this.#liveInfo(hops.at(-1) as HopInfo), { hops: live });
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#sessions = new MemorySessions(servers.at(-1) as MemoryServerState, options, {
      x11: (socket) => this.#offer('x11', socket, this.#handlers.get('x11'), originatorOf(socket)),
      agent: (socket) => this.#offer('auth-agent@openssh.com', socket, this.#agentHandler()),
    });
    for (const server of servers) server.connections.add(this.#farSide);
  }

  async openSession(request: SessionRequest): Promise<SessionChannel> {
    this.#checkOpen({ type: 'session' }, request.signal);
    const { far, slot } = await this.#sessions.start(request);
    try {
      const session = this.#adopt(far, request.signal, () => new MemorySession(far, this.#options.windowSize));
      session.once('close', () => slot.release());
      void far.done.then(() => slot.release()); // the far end needs no reader to be done
      return session;
    } catch (error) {
      slot.release();
      throw error;
    }
  }

  async openDirectTcpip(target: TcpipTarget, { signal }: { signal?: AbortSignal | undefined } = {}): Promise<Channel> {
    checkTcpipTarget(target);
    const { host, port } = target;
    return await this.#openSocket({ type: 'direct-tcpip', host, port }, { host, port }, signal);
  }

  async openDirectStreamlocal(path: string, { signal }: { signal?: AbortSignal | undefined } = {}): Promise<Channel> {
    return await this.#openSocket({ type: 'direct-streamlocal@openssh.com', path }, { path }, signal);
  }

  async openTun({ mode, unit, signal }: TunRequest): Promise<PacketChannel> {
    if (unit !== undefined && (!Number.isInteger(unit) || unit < 0 || unit >= 0x7fffffff))
      throw new ViasshError('OPTION_INVALID', `a tun device has a whole number, not ${unit}`);
    this.#checkOpen({ type: 'tun@openssh.com', mode }, signal);
    await new Promise((resolve) => setImmediate(resolve)); // to the far end and back
    this.#checkAlive(signal);
    const { network = echoNetwork, windowSize } = this.#options;
    const tun = new MemoryTun(mode, network, windowSize, () => this.#tuns.delete(tun));
    this.#tuns.add(tun);
    return tun;
  }

  async requestForward(
    request: RemoteForwardRequest,
    handler: IncomingChannelHandler,
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): Promise<RemoteListener> {
    this.#checkAlive(signal);
    const type = request.kind === 'tcpip' ? 'forwarded-tcpip' : 'forwarded-streamlocal@openssh.com';
    const listener = await listenFor(request, this.#options, (socket) => {
      this.#offer(type, socket, handler, request.kind === 'tcpip' ? originatorOf(socket) : undefined);
    });
    try {
      this.#checkAlive(signal);
    } catch (error) {
      await listener.close();
      throw error;
    }
    this.#listeners.add(listener);
    void listener.closed.then(() => this.#listeners.delete(listener));
    return listener;
  }

  onIncomingChannel(type: IncomingChannelType, handler: IncomingChannelHandler): Disposable {
    if (this.#handlers.has(type))
      throw new ViasshError('OPTION_INVALID', `somebody takes the ${type} channels already`);
    const taken: IncomingChannelHandler = (incoming) => handler(incoming); // one handler may be given twice
    this.#handlers.set(type, taken);
    return {
      [Symbol.dispose]: () => {
        if (this.#handlers.get(type) === taken) this.#handlers.delete(type);
      },
    };
  }

  async ping({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<number | undefined> {
    this.#checkAlive(signal);
    const start = performance.now();
    await new Promise((resolve) => setImmediate(resolve));
    this.#checkAlive(signal);
    return this.#sessions.allowed ? performance.now() - start : undefined;
  }

  async pipe(command: string, options?: PipeOptions): Promise<Pipe> {
    return await pipe(this, { kind: 'exec', command }, options);
  }

  async close({ drainMs }: CloseOptions = {}): Promise<void> {
    this.#closing = true;
    this.#sessions.end();
    if (drainMs !== undefined && this.#channels.size > 0 && this.#ended === undefined) await this.#drain(drainMs);
    this.#end({ kind: 'closed' });
    await this.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #openSocket(
    opening: ChannelOpening,
    target: NetConnectOpts,
    signal: AbortSignal | undefined,
  ): Promise<Channel> {
    this.#checkOpen(opening, signal);
    const far = await dialFarSocket(target, opening);
    return this.#adopt(far, signal, () => new MemoryChannel(opening.type, far, this.#options.windowSize));
  }

  /** The far end stands; what happened to connection and caller in the meantime comes first. */
  #adopt<T extends MemoryChannel>(far: FarEnd, signal: AbortSignal | undefined, make: () => T): T {
    const channel = make();
    if (this.#ended !== undefined || signal?.aborted === true) {
      channel.destroy();
      far.close();
      throw signal?.aborted === true ? abortedError(signal.reason) : this.#endedError();
    }
    this.#channels.add(channel);
    channel.once('close', () => this.#channels.delete(channel));
    return channel;
  }

  #offer(type: string, socket: Duplex, handler: IncomingChannelHandler | undefined, originator?: Originator): void {
    const refuse = (): void => {
      this.#undecided.delete(socket);
      socket.destroy();
    };
    if (this.#ended !== undefined) return refuse();
    this.#undecided.add(socket);
    const accept = (): Channel => {
      this.#undecided.delete(socket);
      const channel = new MemoryChannel(type, farEndOf(socket), this.#options.windowSize);
      this.#channels.add(channel);
      channel.once('close', () => this.#channels.delete(channel));
      if (this.#ended !== undefined) endChannel(channel, this.#ended);
      return channel;
    };
    void decide({ type, originator, accept, refuse }, handler);
  }

  /** Who takes agent channels: the caller's handler, without one the agent that the route names. */
  #agentHandler(): IncomingChannelHandler | undefined {
    const path = this.#options.agentSocket;
    const own = this.#handlers.get('auth-agent@openssh.com');
    if (own !== undefined || path === undefined) return own;
    return (incoming) => {
      const channel = incoming.accept();
      const agent = connect({ path, allowHalfOpen: true });
      agent.on('error', () => channel.destroy()).once('close', () => channel.destroy());
      channel.once('close', () => agent.destroy());
      channel.pipe(agent).pipe(channel);
    };
  }

  #checkOpen(opening: ChannelOpening, signal: AbortSignal | undefined): void {
    this.#checkAlive(signal);
    if (this.#options.refuse?.includes(opening.type) === true)
      throw channelRefused(opening, openFailure.prohibited, '');
  }

  #checkAlive(signal: AbortSignal | undefined): void {
    if (this.#ended !== undefined || this.#closing) throw this.#endedError();
    if (signal?.aborted === true) throw abortedError(signal.reason);
  }

  #endedError(): ViasshError {
    return this.#ended?.kind === 'lost'
      ? connectionLost()
      : new ViasshError('CONNECTION_CLOSED', 'the connection was closed');
  }

  #end(reason: CloseReason): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    for (const server of this.#servers) server.connections.delete(this.#farSide);
    this.#sessions.end();
    for (const listener of this.#listeners) void listener.close();
    for (const socket of this.#undecided) socket.destroy();
    for (const channel of this.#channels) endChannel(channel, reason);
    for (const tun of this.#tuns) {
      if (reason.kind === 'lost') tun.lose(reason.error);
      else void tun.close();
    }
    this.#resolveClosed(reason);
  }

  async #drain(milliseconds: number): Promise<void> {
    const allClosed = Promise.all(
      [...this.#channels].map((channel) => new Promise<void>((resolve) => channel.once('close', () => resolve()))),
    );
    const { promise: timeout, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, milliseconds);
    await Promise.race([allClosed, timeout, this.closed]);
    clearTimeout(timer);
  }

  #liveInfo(hop: HopInfo): HopInfo {
    const isUp = (): boolean => this.#ended === undefined;
    return Object.defineProperty({ ...hop }, 'state', { get: () => (isUp() ? 'up' : 'ended'), enumerable: true });
  }
}

function endChannel(channel: MemoryChannel, reason: CloseReason): void {
  if (reason.kind === 'lost') channel.lose(reason.error);
  else channel.destroy();
}

function originatorOf({ remoteAddress, remotePort }: Socket): Originator {
  return { address: remoteAddress ?? '', port: remotePort ?? 0 };
}

function connectionLost(): ViasshError {
  return new ViasshError('CONNECTION_LOST', 'the connection to the server was lost');
}
