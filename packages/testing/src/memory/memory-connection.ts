import type { NetConnectOpts } from 'node:net';
import {
  abortedError,
  type Capability,
  capabilityMissing,
  type IncomingChannelType,
  type PacketChannel,
  type RemoteForwardRequest,
  type RemoteListener,
  type TunRequest,
  type Channel,
  type CloseOptions,
  type CloseReason,
  type Connection,
  type ConnectionInfo,
  type Pipe,
  pipe,
  type PipeOptions,
  type ProgramRunner,
  type SessionChannel,
  type SessionRequest,
  type TcpipTarget,
  ViasshError,
} from '@viassh/core';
import type { FarEnd, FarSession } from './far-end.ts';
import { MemoryChannel } from './memory-channel.ts';
import type { MemoryServerOptions, MemoryServerState } from './memory-server.ts';
import { MemorySession } from './memory-session.ts';
import { commandOf, startShellSession } from './shell-session.ts';
import { dialFarSocket } from './socket-end.ts';

/** The server's options with nothing left open, and what the route adds to each session. */
export interface MemoryConnectionOptions extends MemoryServerOptions {
  readonly programs: ProgramRunner;
  readonly windowSize: number;
  readonly sessionEnv: Readonly<Record<string, string>>;
}

/** A connection to the memory server. */
export class MemoryConnection implements Connection {
  readonly transport = 'memory';
  readonly capabilities: ReadonlySet<Capability>;
  readonly info: ConnectionInfo;
  readonly closed: Promise<CloseReason>;
  readonly #server: MemoryServerState;
  readonly #options: MemoryConnectionOptions;
  readonly #channels = new Set<MemoryChannel>();
  #sessions = 0;
  #ended: CloseReason | undefined;
  #closing = false;
  #resolveClosed: (reason: CloseReason) => void = () => undefined;
  readonly #lose = (): void => this.#end({ kind: 'lost', error: connectionLost() });

  constructor(
    server: MemoryServerState,
    options: MemoryConnectionOptions,
    capabilities: ReadonlySet<Capability>,
    info: ConnectionInfo,
  ) {
    this.#server = server;
    this.#options = options;
    this.capabilities = capabilities;
    this.info = info;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    server.losers.add(this.#lose);
  }

  async openSession(request: SessionRequest): Promise<SessionChannel> {
    this.#checkOpen('session', request.signal);
    const { maxSessions = 10, subsystems = { echo: 'exec cat' }, acceptEnv = /^VIASSH_/, sessionEnv } = this.#options;
    if (this.#sessions >= maxSessions)
      throw new ViasshError('CHANNEL_REFUSED', 'the server refused a session channel: too many are open');
    this.#sessions += 1;
    try {
      this.#server.requests.push(request);
      const env = Object.fromEntries(
        Object.entries({ ...sessionEnv, ...request.env }).filter(([name]) => acceptEnv.test(name)),
      );
      const far = await this.#startSession(request, subsystems, env);
      const session = await this.#adopt(far, request.signal, () => new MemorySession(far, this.#options.windowSize));
      session.once('close', () => (this.#sessions -= 1));
      return session;
    } catch (error) {
      this.#sessions -= 1;
      throw error;
    }
  }

  async openDirectTcpip(
    { host, port }: TcpipTarget,
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): Promise<Channel> {
    return await this.#openSocket('direct-tcpip', { host, port }, `${host}:${port}`, signal);
  }

  async openDirectStreamlocal(path: string, { signal }: { signal?: AbortSignal | undefined } = {}): Promise<Channel> {
    return await this.#openSocket('direct-streamlocal@openssh.com', { path }, path, signal);
  }

  async openTun(_request: TunRequest): Promise<PacketChannel> {
    throw capabilityMissing(this.transport, 'tun');
  }

  async requestForward(request: RemoteForwardRequest): Promise<RemoteListener> {
    throw capabilityMissing(this.transport, request.kind === 'tcpip' ? 'forwarded-tcpip' : 'forwarded-streamlocal');
  }

  onIncomingChannel(type: IncomingChannelType): Disposable {
    throw capabilityMissing(this.transport, type === 'x11' ? 'x11' : 'agent');
  }

  async ping(): Promise<number | undefined> {
    return undefined;
  }

  async pipe(command: string, options?: PipeOptions): Promise<Pipe> {
    return await pipe(this, { kind: 'exec', command }, options);
  }

  async close({ drainMs }: CloseOptions = {}): Promise<void> {
    this.#closing = true;
    if (drainMs !== undefined && this.#channels.size > 0 && this.#ended === undefined) await this.#drain(drainMs);
    this.#end({ kind: 'closed' });
    await this.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #startSession(
    request: SessionRequest,
    subsystems: Readonly<Record<string, string>>,
    env: Readonly<Record<string, string>>,
  ): Promise<FarSession> {
    const command = commandOf(request, subsystems);
    const made = this.#options.session?.(request, env);
    if (made !== undefined) return made;
    if (this.#options.session !== undefined || command === undefined) {
      throw new ViasshError('REQUEST_REFUSED', `the server refused the ${request.kind} request`);
    }
    return await startShellSession(this.#options.programs, command, request, env);
  }

  async #openSocket(
    type: 'direct-tcpip' | 'direct-streamlocal@openssh.com',
    target: NetConnectOpts,
    shown: string,
    signal: AbortSignal | undefined,
  ): Promise<Channel> {
    this.#checkOpen(type, signal);
    const far = await dialFarSocket(target, shown);
    return await this.#adopt(far, signal, () => new MemoryChannel(type, far, this.#options.windowSize));
  }

  /** The far end stands; what happened to connection and caller in the meantime comes first. */
  async #adopt<T extends MemoryChannel>(far: FarEnd, signal: AbortSignal | undefined, make: () => T): Promise<T> {
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

  #checkOpen(
    type: 'session' | 'direct-tcpip' | 'direct-streamlocal@openssh.com',
    signal: AbortSignal | undefined,
  ): void {
    if (this.#ended !== undefined || this.#closing) throw this.#endedError();
    if (signal?.aborted === true) throw abortedError(signal.reason);
    if (this.#options.refuse?.includes(type) === true)
      throw new ViasshError('CHANNEL_REFUSED', `the server refused a ${type} channel`);
  }

  #endedError(): ViasshError {
    return this.#ended?.kind === 'lost'
      ? connectionLost()
      : new ViasshError('CONNECTION_CLOSED', 'the connection was closed');
  }

  #end(reason: CloseReason): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#server.losers.delete(this.#lose);
    for (const channel of this.#channels) {
      if (reason.kind === 'lost') channel.lose(connectionLost());
      else channel.destroy();
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
}

function connectionLost(): ViasshError {
  return new ViasshError('CONNECTION_LOST', 'the connection to the server was lost');
}
