import { dirname } from 'node:path';
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
  type Pipe,
  type PipeOptions,
  pipe,
  type ResolvedDestination,
  type SessionChannel,
  type SessionRequest,
  type TcpipTarget,
  ViasshError,
} from '@viassh/core';
import { ProxySession } from './channel/proxy-session.ts';
import { RemoteForwards } from './forward/remote-forwards.ts';
import type { RouteMasters } from './master/route-masters.ts';
import { type ControlClient, openControlClient } from './mux/control-client.ts';
import type { MuxProxy } from './mux/open-mux-proxy.ts';

/** How long ssh gets to say why, after its control socket closed on us; milliseconds. */
const LAST_WORDS = 1000;

/** A connection whose wire is a private master and whose channels we speak ourselves. */
export class OpensshConnection implements Connection {
  readonly transport = 'openssh';
  readonly capabilities: ReadonlySet<Capability>;
  readonly info: ConnectionInfo;
  readonly closed: Promise<CloseReason>;
  readonly #master: RouteMasters;
  readonly #session: ProxySession;
  readonly #forwards: RemoteForwards;
  #control: Promise<ControlClient> | undefined;
  readonly #sessionEnv: Readonly<Record<string, string>>;
  #closing: Promise<void> | undefined;
  #lost = false;

  constructor(master: RouteMasters, proxy: MuxProxy, hop: ResolvedDestination, capabilities: ReadonlySet<Capability>) {
    this.#master = master;
    this.info = Object.defineProperty({ ...master.info, hops: master.hops }, 'state', {
      enumerable: true,
      get: () => master.info.state,
    });
    this.capabilities = capabilities;
    this.#session = new ProxySession(proxy);
    this.#forwards = new RemoteForwards(() => this.#openControl(), { path: dirname(master.socketPath) });
    this.#sessionEnv = hop.sessionEnv;
    const { promise, resolve } = Promise.withResolvers<CloseReason>();
    this.closed = promise;
    let failure: Error | undefined;
    proxy.socket.on('error', (error) => (failure ??= error));
    proxy.socket.once('close', () => void this.#onSocketClosed(resolve, failure));
  }

  async openSession(request: SessionRequest): Promise<SessionChannel> {
    return await this.#session.openSession({ ...request, env: { ...this.#sessionEnv, ...request.env } });
  }

  async openDirectTcpip(
    target: TcpipTarget,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Channel> {
    checkTcpipTarget(target);
    return await this.#session.openDirectTcpip(target, signal);
  }

  async openDirectStreamlocal(
    path: string,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Channel> {
    return await this.#session.openDirectStreamlocal(path, signal);
  }

  async openTun(_request: TunRequest): Promise<PacketChannel> {
    throw capabilityMissing(this.transport, 'tun');
  }

  async requestForward(
    request: RemoteForwardRequest,
    handler: IncomingChannelHandler,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<RemoteListener> {
    return await this.#forwards.request(request, handler, options);
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

  async close(options: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(options);
    await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close({ drainMs = 0 }: CloseOptions): Promise<void> {
    const error = new ViasshError('CONNECTION_CLOSED', `the connection to ${this.info.peer} was closed`);
    this.#session.refuseOpens(error);
    this.#forwards.refuse(error);
    if (drainMs > 0 && !this.#lost) {
      const enough = new AbortController();
      const timeUp = delay(drainMs, undefined, { signal: enough.signal }).catch(() => undefined);
      await Promise.race([Promise.all([this.#session.idle(), this.#forwards.idle()]), timeUp]);
      enough.abort();
    }
    this.#session.end(error, false);
    const forwardsEnded = this.#endForwards(error, false);
    await this.#master.stop();
    await forwardsEnded;
    await this.closed;
  }

  async #onSocketClosed(resolve: (reason: CloseReason) => void, failure: Error | undefined): Promise<void> {
    if (this.#closing !== undefined) return resolve({ kind: 'closed' });
    this.#lost = true;
    const error = failure instanceof RangeError ? this.#brokenRules(failure) : await this.#lastWords();
    this.#session.end(error, true);
    const forwardsEnded = this.#endForwards(error, true);
    resolve({ kind: 'lost', error });
    await this.#master.stop();
    await forwardsEnded;
  }

  /** Remote forwards go by control requests: the proxy mode refuses some of them and misroutes the answers of others. */
  async #openControl(): Promise<ControlClient> {
    return await (this.#control ??= openControlClient(this.#master.socketPath));
  }

  async #endForwards(error: ViasshError, lost: boolean): Promise<void> {
    const control = await this.#control?.catch(() => undefined);
    control?.close();
    await this.#forwards.end(error, lost);
  }

  /** ssh knows why the connection ended; when it does not say so in time, its socket's end is the reason. */
  async #lastWords(): Promise<ViasshError> {
    const stop = new AbortController();
    const silence = delay(LAST_WORDS, undefined, { signal: stop.signal }).then(
      () => this.#lostError('the ssh master closed its control socket'),
      () => this.#master.ended,
    );
    const error = await Promise.race([this.#master.ended, silence]);
    stop.abort();
    return error;
  }

  #brokenRules(cause: RangeError): ViasshError {
    return this.#lostError(`the far end broke the rules of the protocol: ${cause.message}`, cause);
  }

  #lostError(why: string, cause?: unknown): ViasshError {
    return new ViasshError('CONNECTION_LOST', `connection lost: ${this.info.peer}: ${why}`, { cause });
  }
}
