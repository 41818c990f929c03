import {
  checkTcpipTarget,
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
  type PipeOptions,
  pipe,
  type SessionChannel,
  type SessionRequest,
  type TcpipTarget,
  ViasshError,
} from '@viassh/core';
import { ssh2Capabilities } from './capabilities.ts';
import { type ChannelFor, openChannel } from './channel/open-channel.ts';
import type { Ssh2Channel } from './channel/ssh2-channel.ts';
import { startSession } from './channel/start-session.ts';
import type { Hop } from './hop.ts';
import type { ChannelOpening } from './ssh2-private/raw-channel.ts';
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
  readonly #backlog: WireBacklog;
  readonly #channels = new Set<Ssh2Channel>();
  /** Ends the openings under way, with the reason. */
  readonly #end = new AbortController();
  readonly #hurry = Promise.withResolvers<void>();
  #resolveClosed!: (reason: CloseReason) => void;
  #closing: Promise<void> | undefined;

  constructor(hops: readonly Hop[]) {
    this.#hops = hops;
    this.#last = hops[hops.length - 1] as Hop;
    this.#backlog = new WireBacklog(this.#last.wire.stream);
    this.info = { ...this.#last.info, hops: hops.map(({ info }) => info) };
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    for (const hop of hops.toReversed()) hop.onLost((error) => this.#lost(error));
  }

  async openSession(request: SessionRequest): Promise<SessionChannel> {
    const channel = await this.#open({ type: 'session' }, request);
    const env = { ...this.#last.resolved.sessionEnv, ...request.env };
    return await startSession(channel, { ...request, env, signal: this.#while(request) });
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
    if (drainMs === undefined) this.#hurry.resolve();
    this.#closing ??= this.#shutDown(drainMs);
    await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #open<T extends ChannelOpening>(opening: T, options: Signalled): Promise<ChannelFor<T>> {
    if (options.signal?.aborted === true) throw abortedError(options.signal.reason);
    return await openChannel(this.#last.client, opening, {
      backlog: this.#backlog,
      signal: this.#while(options),
      onOpen: (channel) => {
        this.#channels.add(channel);
        void channel.gone.then(() => this.#channels.delete(channel));
      },
    });
  }

  /** The caller's signal and the end of this connection in one; the reason of either is the error. */
  #while({ signal }: Signalled): AbortSignal {
    return signal === undefined ? this.#end.signal : AbortSignal.any([signal, this.#end.signal]);
  }

  #lost(error: ViasshError): void {
    if (this.#closing !== undefined) return;
    this.#end.abort(error);
    for (const channel of this.#channels) channel.connectionEnded(error);
    this.#closing = this.#closeHops({ kind: 'lost', error });
  }

  async #shutDown(drainMs: number | undefined): Promise<void> {
    const closed = new ViasshError('CONNECTION_CLOSED', `the connection to ${this.info.peer} was closed`);
    this.#end.abort(closed);
    if (drainMs !== undefined) await this.#drain(drainMs);
    for (const channel of this.#channels) channel.destroy();
    await this.#closeHops({ kind: 'closed' });
  }

  async #drain(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    const drained = Promise.all([...this.#channels].map((channel) => channel.gone));
    await Promise.race([drained, timeout, this.#hurry.promise]);
    clearTimeout(timer);
  }

  async #closeHops(reason: CloseReason): Promise<void> {
    for (const hop of this.#hops.toReversed()) await hop.close();
    for (const channel of this.#channels) channel.connectionEnded();
    this.#resolveClosed(reason);
  }
}
