import { setMaxListeners } from 'node:events';
import {
  abortedError,
  type Capability,
  type Channel,
  checkTcpipTarget,
  type CloseOptions,
  type CloseReason,
  type Connection,
  type ConnectionInfo,
  type ConnectOptions,
  forwardedAgent,
  type IncomingChannelHandler,
  type IncomingChannelType,
  type PacketChannel,
  type Pipe,
  type PipeOptions,
  pipe,
  type RemoteForwardRequest,
  type RemoteListener,
  type SessionChannel,
  sessionEnvironment,
  type SessionRequest,
  SpareSession,
  type TcpipTarget,
  type TunRequest,
  ViasshError,
} from '@viassh/core';
import { ssh2Capabilities } from './capabilities.ts';
import type { ChannelHost } from './channel-host.ts';
import { ConnectionWindows } from './channel/connection-windows.ts';
import { type ChannelFor, openChannel, type StreamOpening } from './channel/open-channel.ts';
import type { Ssh2Channel } from './channel/ssh2-channel.ts';
import type { Ssh2SessionChannel } from './channel/ssh2-session-channel.ts';
import { SessionSlots } from './channel/session-slots.ts';
import { startSession } from './channel/start-session.ts';
import { ForwardTable } from './forward/forward-table.ts';
import { requestForward } from './forward/request-forward.ts';
import { connectionInfo, type Hop } from './hop.ts';
import { bridgeToAgent } from './incoming/agent-bridge.ts';
import { IncomingChannels } from './incoming/incoming-channels.ts';
import { ping } from './ping.ts';
import { hearDebugMessages } from './ssh2-private/debug-messages.ts';
import { openTun } from './tun/open-tun.ts';
import type { TunChannel } from './tun/tun-channel.ts';
import { WireBacklog } from './wire/wire-backlog.ts';

type Signalled = { readonly signal?: AbortSignal | undefined };

/** core's Connection on a chain of hops, the last of which carries the channels. */
export class Ssh2Connection implements Connection {
  readonly transport: string = 'ssh2';
  readonly capabilities: ReadonlySet<Capability> = ssh2Capabilities;
  readonly info: ConnectionInfo;
  readonly closed: Promise<CloseReason>;
  readonly #hops: readonly Hop[];
  readonly #last: Hop;
  readonly #host: ChannelHost;
  readonly #channels = new Set<Ssh2Channel>();
  readonly #tuns = new Set<TunChannel>();
  readonly #forwards = new ForwardTable();
  readonly #incoming: IncomingChannels;
  readonly #spare: SpareSession<Ssh2SessionChannel>;
  readonly #slots = new SessionSlots(() => this.ping());
  readonly #agent: string | undefined;
  /** Ends the openings under way, with the reason. */
  readonly #end = new AbortController();
  readonly #hurry = Promise.withResolvers<void>();
  #resolveClosed!: (reason: CloseReason) => void;
  #closing: Promise<void> | undefined;
  #loss: ViasshError | undefined;
  /** We hang up: what ends now is no loss. */
  #leaving = false;

  constructor(hops: readonly Hop[], { spareSession = true }: Pick<ConnectOptions, 'spareSession'> = {}) {
    this.#hops = hops;
    this.#last = hops[hops.length - 1] as Hop;
    setMaxListeners(0, this.#end.signal); // one for each opening, forward and request under way
    const windows = new ConnectionWindows();
    const { roundTripMs } = this.#last.info;
    if (roundTripMs !== undefined) windows.knownRoundTrip(roundTripMs);
    this.#host = {
      client: this.#last.client,
      backlog: new WireBacklog(this.#last.client, this.#last.wire.stream),
      windows,
      ended: this.#end.signal,
      onOpen: (channel) => this.#opened(channel),
    };
    this.#agent = forwardedAgent(this.#last.resolved);
    this.#incoming = new IncomingChannels(
      this.#host,
      this.#forwards,
      new Map(this.#agent === undefined ? [] : [['auth-agent@openssh.com', bridgeToAgent(this.#agent)]]),
    );
    this.#spare = new SpareSession({
      open: () => this.#openSpare(),
      discard: (channel) => void channel.destroy(),
      kept: spareSession === 'kept',
    });
    if (!spareSession) this.#spare.switchOff();
    this.info = connectionInfo(hops.map(({ info }) => info));
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    for (const hop of hops.toReversed()) hop.onLost((error) => this.#lost(error));
    if (spareSession === 'kept') this.#spare.used();
  }

  async openSession(request: SessionRequest): Promise<SessionChannel> {
    const signal = this.#while(request);
    if (signal.aborted) throw abortedError(signal.reason);
    const channel = await this.#spare.acquire(() => this.#openSession(request), signal);
    const env = sessionEnvironment(this.#last.resolved.sessionEnv, request);
    if (this.#agent !== undefined) this.#incoming.expect('auth-agent@openssh.com');
    const session = await startSession(
      channel,
      { ...request, env, signal },
      {
        forwardAgent: this.#agent !== undefined,
        onX11: () => this.#incoming.expect('x11'),
        hear: () => hearDebugMessages(this.#last.client),
      },
    );
    this.#spare.used();
    return session;
  }

  async openDirectTcpip(target: TcpipTarget, options: Signalled = {}): Promise<Channel> {
    checkTcpipTarget(target);
    const { host, port, originatorAddress, originatorPort } = target;
    const opening = {
      type: 'direct-tcpip',
      dstIP: host,
      dstPort: port,
      srcIP: originatorAddress ?? '127.0.0.1',
      srcPort: originatorPort ?? 0,
    } as const;
    return await this.#open(opening, options);
  }

  async openDirectStreamlocal(path: string, options: Signalled = {}): Promise<Channel> {
    return await this.#open({ type: 'direct-streamlocal@openssh.com', socketPath: path }, options);
  }

  async openTun(request: TunRequest): Promise<PacketChannel> {
    return await openTun(this.#host, request, (channel) => {
      this.#tuns.add(channel);
      const forget = (): void => void this.#tuns.delete(channel);
      channel.closed.then(forget, forget);
    });
  }

  async requestForward(
    request: RemoteForwardRequest,
    handler: IncomingChannelHandler,
    { signal }: Signalled = {},
  ): Promise<RemoteListener> {
    return await requestForward(this.#host, request, { table: this.#forwards, handler, signal });
  }

  onIncomingChannel(type: IncomingChannelType, handler: IncomingChannelHandler): Disposable {
    return this.#incoming.take(type, handler);
  }

  async ping({ signal }: Signalled = {}): Promise<number> {
    return await ping(this.#host, signal);
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

  async #open<T extends StreamOpening>(opening: T, options: Signalled): Promise<ChannelFor<T>> {
    const signal = this.#while(options);
    if (signal.aborted) throw abortedError(signal.reason);
    const { client, backlog, windows, onOpen } = this.#host;
    const onClosed = opening.type === 'session' ? () => this.#slots.sessionClosed() : undefined;
    return await openChannel(client, opening, { backlog, windows, signal, onOpen, onClosed });
  }

  async #openSession(options: Signalled): Promise<Ssh2SessionChannel> {
    return await this.#slots.open(() => this.#open({ type: 'session' }, options));
  }

  async #openSpare(): Promise<Ssh2SessionChannel> {
    const channel = await this.#openSession({});
    void channel.gone.then(() => this.#spare.gone(channel));
    return channel;
  }

  #opened(channel: Ssh2Channel): void {
    this.#channels.add(channel);
    void channel.gone.then(() => this.#channels.delete(channel));
  }

  /** The caller's signal and the end of this connection in one; the reason of either is the error. */
  #while({ signal }: Signalled): AbortSignal {
    return signal === undefined ? this.#end.signal : AbortSignal.any([signal, this.#end.signal]);
  }

  /** Also while it drains: what is open is lost then, and nothing is waited for any more. */
  #lost(error: ViasshError): void {
    if (this.#leaving || this.#loss !== undefined) return;
    this.#loss = error;
    this.#end.abort(error);
    this.#spare.switchOff();
    for (const channel of [...this.#channels, ...this.#tuns]) channel.connectionEnded(error);
    this.#hurry.resolve();
    this.#closing ??= this.#closeHops();
  }

  async #shutDown(drainMs: number | undefined): Promise<void> {
    const closed = new ViasshError('CONNECTION_CLOSED', `the connection to ${this.info.peer} was closed`);
    this.#end.abort(closed);
    this.#spare.switchOff(); // before the others are waited for: it is none of them
    if (drainMs !== undefined) await this.#drain(drainMs);
    for (const channel of this.#channels) channel.destroy();
    for (const channel of this.#tuns) await channel.close();
    await this.#closeHops();
  }

  /** A tun channel has no end of its own to wait for. */
  async #drain(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    const drained = Promise.all([...this.#channels].map((channel) => channel.gone));
    await Promise.race([drained, timeout, this.#hurry.promise]);
    clearTimeout(timer);
  }

  async #closeHops(): Promise<void> {
    this.#leaving = true;
    for (const hop of this.#hops.toReversed()) await hop.close();
    for (const channel of this.#channels) channel.connectionEnded();
    this.#resolveClosed(this.#loss === undefined ? { kind: 'closed' } : { kind: 'lost', error: this.#loss });
  }
}
