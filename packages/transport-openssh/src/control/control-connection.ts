import { setTimeout as delay } from 'node:timers/promises';
import {
  abortedError,
  type Capability,
  capabilityMissing,
  type Channel,
  channelRefused,
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
  type PipeOptions,
  pipe,
  type RemoteForwardRequest,
  type RemoteListener,
  type ResolvedDestination,
  type SessionChannel,
  sessionEnvironment,
  type SessionRequest,
  type TcpipTarget,
  type TunRequest,
  ViasshError,
} from '@viassh/core';
import { isAlive, RemoteForwards } from '../forward/remote-forwards.ts';
import type { StreamChannel } from '../forward/stream-channel.ts';
import { environmentOptions } from '../hand-over.ts';
import { peerName } from '../master/master-arguments.ts';
import type { PrivateFolder } from '../master/private-folder.ts';
import type { ControlClient } from '../mux/control-client.ts';
import { type DirectOpening, openDirect } from './open-direct.ts';
import { type Passage, type Passenger, startPassenger } from './passenger.ts';
import { PassengerChannel } from './passenger-channel.ts';
import { sharedFolder } from './shared-folder.ts';

/** What a connection over somebody's master stands on. */
export interface ControlConnectionInit {
  readonly control: ControlClient;
  readonly passage: Passage;
  readonly folder: PrivateFolder;
  readonly hop: ResolvedDestination;
  /** The master's process id. */
  readonly masterPid: number;
  readonly capabilities: ReadonlySet<Capability>;
  /** Gives up what was set up around it: called once, last. */
  readonly release: () => Promise<void>;
}

/** A connection that rides on the user's own ControlMaster: see `createControlTransport`. */
export class ControlConnection implements Connection {
  readonly transport = 'control';
  readonly capabilities: ReadonlySet<Capability>;
  readonly info: ConnectionInfo;
  readonly closed: Promise<CloseReason>;
  readonly #init: ControlConnectionInit;
  readonly #forwards: RemoteForwards;
  readonly #channels = new Set<StreamChannel>();
  readonly #passengers = new Set<Passenger>();
  readonly #idleWaiters: (() => void)[] = [];
  readonly #boarding = new Set<Promise<unknown>>();
  #ended = false;
  #refusal: ViasshError | undefined;
  #closing: Promise<void> | undefined;

  constructor(init: ControlConnectionInit) {
    this.#init = init;
    this.capabilities = init.capabilities;
    const peer = peerName(init.hop);
    const stateOf = (): HopInfo['state'] => (this.#ended ? 'ended' : 'up');
    const hop: HopInfo = {
      peer,
      get state() {
        return stateOf();
      },
    };
    this.info = {
      peer,
      hops: [hop],
      wireProcess: init.masterPid,
      get state() {
        return stateOf();
      },
    };
    this.#forwards = new RemoteForwards(
      async () => init.control,
      sharedFolder(init.folder, init.passage.controlPath, init.control),
    );
    this.closed = init.control.closed.then(() => this.#onControlClosed());
  }

  async openSession(request: SessionRequest): Promise<SessionChannel> {
    for (const lacking of ['pty', 'x11'] as const) {
      if (request[lacking] !== undefined) throw capabilityMissing(this.transport, lacking);
    }
    if (request.kind === 'exec' && request.command === '') {
      throw new ViasshError('OPTION_INVALID', 'ssh sends no empty command: it asks for a shell instead');
    }
    const words = [
      ...(request.kind === 'subsystem' ? ['-s'] : []),
      ...environmentOptions(sessionEnvironment(this.#init.hop.sessionEnv, request)).flatMap((option) => ['-o', option]),
      '--',
      this.#init.hop.destination.host,
      ...(request.kind === 'exec' ? [request.command] : request.kind === 'subsystem' ? [request.subsystem] : []),
    ];
    return await this.#board(words, request.signal);
  }

  /** A refusal comes on the channel: see {@link openDirect}. */
  async openDirectTcpip(
    target: TcpipTarget,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Channel> {
    checkTcpipTarget(target);
    const { host, port } = target;
    return await this.#openDirect({ type: 'direct-tcpip', host, port }, signal);
  }

  /** As {@link openDirectTcpip}. */
  async openDirectStreamlocal(
    path: string,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Channel> {
    return await this.#openDirect({ type: 'direct-streamlocal@openssh.com', path }, signal);
  }

  async openTun(_request: TunRequest): Promise<PacketChannel> {
    throw capabilityMissing(this.transport, 'tun');
  }

  async requestForward(
    request: RemoteForwardRequest,
    handler: IncomingChannelHandler,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<RemoteListener> {
    this.#checkOpen(options?.signal);
    return await this.#orLoss(this.#forwards.request(request, handler, options));
  }

  onIncomingChannel(type: IncomingChannelType, _handler: IncomingChannelHandler): Disposable {
    throw capabilityMissing(this.transport, type === 'x11' ? 'x11' : 'agent');
  }

  /** Undefined: the master answers for itself, not for the server. */
  async ping({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<number | undefined> {
    this.#checkOpen(signal);
    return undefined;
  }

  async pipe(command: string, options?: PipeOptions): Promise<Pipe> {
    return await pipe(this, { kind: 'exec', command }, options);
  }

  /** Cancels our forwards and ends our passengers; the master goes on. */
  async close(options: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(options);
    await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  readonly #isAlive = async (): Promise<boolean> => await isAlive(this.#init.control);

  async #openDirect(opening: DirectOpening, signal: AbortSignal | undefined): Promise<Channel> {
    this.#checkOpen(signal);
    const { control, folder } = this.#init;
    const channel = await this.#orLoss(openDirect(control, folder, opening, () => this.#left(channel)));
    return this.#entered(channel, signal);
  }

  /** Starts a passenger and gives the channel on it once the server has confirmed that. */
  async #board(words: readonly string[], signal: AbortSignal | undefined): Promise<PassengerChannel> {
    this.#checkOpen(signal);
    const boarding = startPassenger(this.#init.passage, words).then((started) => this.#aboard(started));
    this.#boarding.add(boarding);
    const passenger = await boarding.finally(() => this.#boarding.delete(boarding));
    const channel = new PassengerChannel(passenger, this.#isAlive, () => this.#left(channel));
    this.#entered(channel, signal);
    const { promise: aborted, resolve } = Promise.withResolvers<false>();
    const onAbort = (): void => resolve(false);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const opened = await Promise.race([passenger.opened, aborted]);
      this.#checkOpen(signal);
      if (opened) return channel;
      const { refusal } = await passenger.ended;
      if (!(await this.#isAlive())) await this.closed;
      this.#checkOpen(signal);
      throw channelRefused({ type: 'session' }, undefined, refusal);
    } catch (error) {
      channel.destroy();
      throw error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** A channel is one of ours from here on, unless it came too late. */
  #entered<C extends StreamChannel>(channel: C, signal: AbortSignal | undefined): C {
    this.#channels.add(channel);
    try {
      this.#checkOpen(signal);
      return channel;
    } catch (error) {
      channel.destroy();
      throw error;
    }
  }

  #aboard(passenger: Passenger): Passenger {
    this.#passengers.add(passenger);
    void passenger.ended.then(() => this.#passengers.delete(passenger));
    return passenger;
  }

  #left(channel: StreamChannel): void {
    this.#channels.delete(channel);
    if (this.#channels.size > 0) return;
    for (const waiter of this.#idleWaiters.splice(0)) waiter();
  }

  /** @throws ViasshError CONNECTION_LOST, CONNECTION_CLOSED, ABORTED */
  #checkOpen(signal: AbortSignal | undefined): void {
    if (this.#refusal !== undefined) throw this.#refusal;
    if (signal?.aborted === true) throw abortedError(signal.reason);
  }

  /** What fails because the connection ended fails with that reason. */
  async #orLoss<T>(working: Promise<T>): Promise<T> {
    try {
      return await working;
    } catch (error) {
      throw this.#refusal ?? error;
    }
  }

  async #close({ drainMs = 0 }: CloseOptions): Promise<void> {
    const error = new ViasshError('CONNECTION_CLOSED', `the connection to ${this.info.peer} was closed`);
    const wasLost = this.#refusal !== undefined;
    this.#refusal ??= error;
    this.#forwards.refuse(error);
    if (drainMs > 0 && !wasLost) {
      const enough = new AbortController();
      const timeUp = delay(drainMs, undefined, { signal: enough.signal }).catch(() => undefined);
      await Promise.race([Promise.all([this.#idle(), this.#forwards.idle()]), timeUp]);
      enough.abort();
    }
    await this.#forwards.closeListeners();
    for (const channel of this.#channels) channel.abandon(undefined);
    await this.#endAll(error, false);
    this.#init.control.close();
    await this.closed;
    await this.#init.release();
  }

  async #idle(): Promise<void> {
    if (this.#channels.size > 0) await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
  }

  async #endAll(why: ViasshError, lost: boolean): Promise<void> {
    await Promise.allSettled(this.#boarding);
    const passengers = [...this.#passengers];
    for (const passenger of passengers) passenger.end();
    await Promise.all([this.#forwards.end(why, lost), ...passengers.map(({ ended }) => ended)]);
  }

  #onControlClosed(): CloseReason {
    this.#ended = true;
    if (this.#closing !== undefined) return { kind: 'closed' };
    const error = new ViasshError('CONNECTION_LOST', `connection lost: ${this.info.peer}: the ssh master has ended`, {
      hint: `start it again: ssh -M -N -S ${this.#init.passage.controlPath} …`,
    });
    this.#refusal = error;
    for (const channel of this.#channels) channel.abandon(error);
    this.#closing = this.#endAll(error, true).then(() => this.#init.release());
    return { kind: 'lost', error };
  }
}
