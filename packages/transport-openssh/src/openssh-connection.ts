import { setTimeout as delay } from 'node:timers/promises';
import {
  type Capability,
  capabilityMissing,
  type IncomingChannelHandler,
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
  checkTcpipTarget,
  forwardedAgent,
  type Pipe,
  type PipeOptions,
  pipe,
  type ResolvedDestination,
  type SessionChannel,
  type SessionRequest,
  type SparePolicy,
  type TcpipTarget,
  ViasshError,
} from '@viassh/core';
import type { Forwards } from './forwards.ts';
import type { RouteMasters } from './master/route-masters.ts';
import { MasterRenewal, type RenewalOptions } from './master-renewal.ts';
import type { MuxProxy } from './mux/open-mux-proxy.ts';
import { ProxiedMaster } from './proxied-master.ts';

/** What a connection is made with beside its master. */
export interface OpensshConnectionOptions extends RenewalOptions {
  /** As in ConnectOptions. Default: true. */
  readonly spareSession?: SparePolicy | undefined;
  /** Remote forwards of a master; absent: there are none. */
  readonly forwards?: ((master: RouteMasters) => Forwards) | undefined;
  /** As in ProxySessionOptions. */
  readonly mostSlots?: number | undefined;
}

const useSsh2 = 'use --transport ssh2, which gets such channels itself';

/** A connection whose wire is a private master and whose channels we speak ourselves. */
export class OpensshConnection implements Connection {
  readonly transport = 'openssh';
  readonly capabilities: ReadonlySet<Capability>;
  readonly closed: Promise<CloseReason>;
  readonly #masters: MasterRenewal;
  readonly #ended = Promise.withResolvers<CloseReason>();
  #closing: Promise<void> | undefined;
  #lost: Promise<void> | undefined;

  constructor(
    master: RouteMasters,
    proxy: MuxProxy,
    hop: ResolvedDestination,
    capabilities: ReadonlySet<Capability>,
    options: OpensshConnectionOptions = {},
  ) {
    this.capabilities = capabilities;
    this.closed = this.#ended.promise;
    const { spareSession: spare = true, forwards, mostSlots } = options;
    const setup = { env: hop.sessionEnv, forwardsAgent: forwardedAgent(hop) !== undefined, spare };
    this.#masters = new MasterRenewal(
      (masterOptions) => new ProxiedMaster(master, proxy, masterOptions),
      { setup, forwards, mostSlots },
      options,
      (current) => void current.ended.then((loss) => this.#onMasterEnded(current, loss)),
    );
  }

  get info(): ConnectionInfo {
    return this.#masters.current.info;
  }

  async openSession(request: SessionRequest): Promise<SessionChannel> {
    if (request.x11 !== undefined) throw capabilityMissing(this.transport, 'x11', useSsh2);
    return await this.#masters.current.sessions.open(request);
  }

  async openDirectTcpip(
    target: TcpipTarget,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Channel> {
    checkTcpipTarget(target);
    return await this.#masters.current.session.openDirectTcpip(target, signal);
  }

  async openDirectStreamlocal(
    path: string,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Channel> {
    return await this.#masters.current.session.openDirectStreamlocal(path, signal);
  }

  async openTun(request: TunRequest): Promise<PacketChannel> {
    return await this.#masters.current.session.openTun(request);
  }

  async requestForward(
    request: RemoteForwardRequest,
    handler: IncomingChannelHandler,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<RemoteListener> {
    const { forwards } = this.#masters.current;
    if (forwards === undefined)
      throw capabilityMissing(this.transport, request.kind === 'tcpip' ? 'forwarded-tcpip' : 'forwarded-streamlocal');
    return await forwards.request(request, handler, options);
  }

  /** The master serves such channels itself, with its own agent and display: they never come to us. */
  onIncomingChannel(type: IncomingChannelType): Disposable {
    throw capabilityMissing(this.transport, type === 'x11' ? 'x11' : 'agent', useSsh2);
  }

  async ping({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<number | undefined> {
    return await this.#masters.current.sessions.ping(signal);
  }

  async pipe(command: string, options?: PipeOptions): Promise<Pipe> {
    return await pipe(this, { kind: 'exec', command }, options);
  }

  async close(options: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(options);
    await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close({ drainMs = 0 }: CloseOptions): Promise<void> {
    const error = new ViasshError('CONNECTION_CLOSED', `the connection to ${this.info.peer} was closed`);
    for (const master of this.#masters.all) master.refuse(error);
    const renewalStopped = this.#masters.stop();
    if (drainMs > 0 && this.#lost === undefined) {
      const enough = new AbortController();
      const timeUp = delay(drainMs, undefined, { signal: enough.signal }).catch(() => undefined);
      await Promise.race([Promise.all(this.#masters.all.map((master) => master.idle())), timeUp]);
      enough.abort();
    }
    await Promise.all([this.#lost, renewalStopped, ...this.#masters.all.map((master) => master.leave(error))]);
    this.#ended.resolve({ kind: 'closed' });
  }

  #onMasterEnded(master: ProxiedMaster, error: ViasshError | undefined): void {
    if (error === undefined || master !== this.#masters.current) return;
    this.#lost ??= this.#lose(error);
  }

  async #lose(reason: ViasshError): Promise<void> {
    this.#ended.resolve({ kind: 'lost', error: reason });
    await Promise.all([this.#masters.stop(), ...this.#masters.all.map((master) => master.leave(reason))]);
  }
}
