import {
  abortedError,
  type ChannelOpening,
  channelRefused,
  openFailure,
  type TcpipTarget,
  type TunRequest,
  ViasshError,
} from '@viassh/core';
import { message } from '../mux/messages.ts';
import type { MuxProxy } from '../mux/open-mux-proxy.ts';
import { type Lane, Lanes, type OpenLane } from '../mux/lanes.ts';
import { type Field, WireReader } from '../mux/wire.ts';
import { orAborted } from '../or-aborted.ts';
import { ProxyChannel } from './proxy-channel.ts';
import type { ChannelInit, ProxyEndpoint } from './proxy-endpoint.ts';
import { TunChannel, tunFields } from './tun-channel.ts';
import { MAX_PACKET, SendWindow, WINDOW } from './window.ts';

/** The master ends itself, and all that hangs on it, when it needs more than 16,384 slots (OpenSSH's channels.h). */
const MOST_SLOTS = 15_000;

/** What a proxy's channels are kept with. */
export interface ProxySessionOptions {
  /** Beyond so many open or refused channels none is opened any more. Default: 15,000. */
  readonly mostSlots?: number | undefined;
  /** Called whenever {@link ProxySession.isUnused} may have become true, and is. */
  readonly onUnused?: (() => void) | undefined;
  /** Absent: all channels are on the one proxy. */
  readonly openLane?: OpenLane | undefined;
}

/** How a channel is opened. */
export interface OpenOptions {
  readonly signal?: AbortSignal | undefined;
  /** Opened ahead of its use: nobody waits for it to end, until it is taken with {@link ProxySession.adopt}. */
  readonly background?: boolean | undefined;
  /** Default: the first. What is told apart by its order, as a session that ends before the next begins, stays on one. */
  readonly lane?: Lane | undefined;
}

interface PendingOpen {
  readonly opening: ChannelOpening;
  confirmed(remoteId: number, sendWindow: SendWindow): ProxyEndpoint;
  refused(error: ViasshError): void;
}

/** All channels of one master: opens them, routes messages to them, ends them together. */
export class ProxySession {
  /** What they pass; ended by {@link end}. */
  readonly lanes: Lanes;
  readonly #mostSlots: number;
  readonly #onUnused: (() => void) | undefined;
  readonly #pending = new Map<number, PendingOpen>();
  readonly #channels = new Map<number, ProxyEndpoint>();
  readonly #background = new Set<number>();
  /** What the master keeps a slot for: from our open to the far end's close. It never gives back that of a refused open. */
  readonly #slots = new Set<number>();
  readonly #idleWaiters: (() => void)[] = [];
  #holds = 0;
  #nextId = 0;
  #refused = 0;
  #refusal: ViasshError | undefined;
  #ended: ViasshError | undefined;

  constructor(proxy: MuxProxy, { mostSlots = MOST_SLOTS, onUnused, openLane }: ProxySessionOptions = {}) {
    this.#mostSlots = mostSlots;
    this.#onUnused = onUnused;
    this.lanes = new Lanes(proxy, openLane, (type, body) => this.#receive(type, body));
  }

  /** Opens that were refused so far: each has cost a slot of the master. */
  get refused(): number {
    return this.#refused;
  }

  /** Why nothing is opened any more. */
  get refusal(): ViasshError | undefined {
    return this.#refusal;
  }

  /** Why it has ended. */
  get ended(): ViasshError | undefined {
    return this.#ended;
  }

  /** No channel that somebody uses is left or being opened, and none lives on at the far end after it was destroyed here. */
  get isUnused(): boolean {
    return this.#holds === 0 && this.#slots.size - this.#refused - this.#background.size === 0;
  }

  async openDirectTcpip(
    { host, port, originatorAddress = '127.0.0.1', originatorPort = 0 }: TcpipTarget,
    signal?: AbortSignal,
  ): Promise<ProxyChannel> {
    return await this.#openOnAnyLane(
      { type: 'direct-tcpip', host, port },
      [host, port, originatorAddress, originatorPort],
      signal,
    ); // RFC 4254 §7.2
  }

  async openDirectStreamlocal(path: string, signal?: AbortSignal): Promise<ProxyChannel> {
    return await this.#openOnAnyLane({ type: 'direct-streamlocal@openssh.com', path }, [path, '', 0], signal); // PROTOCOL §2.4
  }

  /** @throws ViasshError OPTION_INVALID, and as {@link open} */
  async openTun(request: TunRequest): Promise<TunChannel> {
    const { mode, signal } = request;
    const fields = tunFields(request);
    return await this.open({ type: 'tun@openssh.com', mode }, fields, (init) => new TunChannel(init, mode), { signal });
  }

  /** @throws ViasshError CHANNEL_REFUSED, ABORTED, and why nothing is opened any more */
  async open<C extends ProxyEndpoint>(
    opening: ChannelOpening,
    fields: readonly Field[],
    make: (init: ChannelInit) => C,
    { signal, background = false, lane = this.lanes.first }: OpenOptions,
  ): Promise<C> {
    if (this.#refusal !== undefined) throw this.#refusal;
    if (signal?.aborted === true) throw abortedError(signal.reason);
    if (this.#slots.size >= this.#mostSlots) throw tooManyOpens();
    const { type } = opening;
    const id = this.#nextId++;
    lane.channels += 1;
    const { promise, resolve, reject } = Promise.withResolvers<C>();
    let abandoned = false;
    const onAbort = (): void => {
      abandoned = true;
      reject(abortedError(signal?.reason));
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#pending.set(id, {
      opening,
      refused: (error) => {
        lane.channels -= 1;
        reject(error);
      },
      confirmed: (remoteId, sendWindow) => {
        const onGone = (): void => {
          lane.channels -= 1;
          this.#gone(id);
        };
        const channel = make({ id, type, link: lane.link, remoteId, sendWindow, onGone });
        if (abandoned) channel.destroy();
        else resolve(channel);
        return channel;
      },
    });
    this.#slots.add(id);
    if (background) this.#background.add(id);
    try {
      lane.link.send(message.channelOpen, type, id, WINDOW, MAX_PACKET, ...fields);
      return await promise;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async #openOnAnyLane(
    opening: ChannelOpening,
    fields: readonly Field[],
    signal: AbortSignal | undefined,
  ): Promise<ProxyChannel> {
    const arrival = this.lanes.arrival();
    const release = this.hold();
    try {
      if (arrival !== undefined) await orAborted(arrival, signal);
      const lane = this.lanes.emptiest();
      return await this.open(opening, fields, (init) => new ProxyChannel(init), { signal, lane });
    } finally {
      release();
    }
  }

  /** The channel is used from now on; true when it was opened in the background. */
  adopt(id: number): boolean {
    return this.#background.delete(id);
  }

  /** Somebody is about to open something: until the returned is called this is neither idle nor unused. */
  hold(): () => void {
    this.#holds += 1;
    return () => {
      this.#holds -= 1;
      this.#checkIdle();
    };
  }

  /** From now on nothing is opened; what is open goes on. */
  refuseOpens(error: ViasshError): void {
    this.#refusal ??= error;
  }

  /** Resolves when no channel is left, or is being opened, but for those opened ahead. */
  async idle(): Promise<void> {
    if (this.#isIdle()) return;
    await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Ends every channel: quietly when we closed the connection, with the error when it was lost. */
  end(error: ViasshError, lost: boolean): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    this.#refusal = error;
    for (const open of this.#pending.values()) open.refused(error);
    this.#pending.clear();
    for (const channel of this.#channels.values()) channel.abandon(lost ? error : undefined);
    this.#background.clear();
    this.lanes.end();
    this.#checkIdle();
  }

  #receive(type: number, body: Buffer): void {
    const fields = new WireReader(body);
    if (type === message.channelOpen) return this.#refuseIncoming(fields);
    const id = fields.uint32();
    if (type === message.channelOpenConfirmation) this.#confirmed(id, fields);
    else if (type === message.channelOpenFailure) this.#refusedOpen(id, fields);
    else {
      if (type === message.channelClose) this.#slots.delete(id);
      this.#channels.get(id)?.receive(type, fields);
      if (type === message.channelClose) this.#gone(id);
    }
  }

  #confirmed(id: number, fields: WireReader): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) throw new RangeError(`a confirmation for channel ${id}, which was not asked for`);
    this.#pending.delete(id);
    const remoteId = fields.uint32();
    const window = fields.uint32();
    const channel = pending.confirmed(remoteId, new SendWindow(window, fields.uint32()));
    if (!channel.destroyed) this.#channels.set(id, channel);
    this.#checkIdle();
  }

  #refusedOpen(id: number, fields: WireReader): void {
    const reason = fields.uint32();
    const said = fields.text();
    const pending = this.#pending.get(id);
    if (pending === undefined) throw new RangeError(`a refusal of channel ${id}, which was not asked for`);
    this.#refused += 1;
    this.#pending.delete(id);
    this.#background.delete(id);
    pending.refused(channelRefused(pending.opening, reason, said));
    this.#checkIdle();
  }

  /** Nothing was asked for that would let the far end open a channel (RFC 4254 §5.1). */
  #refuseIncoming(fields: WireReader): void {
    const type = fields.text();
    this.lanes.first.link.send(
      message.channelOpenFailure,
      fields.uint32(),
      openFailure.prohibited,
      `${type} was not asked for`,
      '',
    );
  }

  #gone(id: number): void {
    this.#channels.delete(id);
    this.#background.delete(id);
    this.#checkIdle();
  }

  #isIdle(): boolean {
    return this.#holds + this.#channels.size + this.#pending.size - this.#background.size <= 0;
  }

  #checkIdle(): void {
    if (this.isUnused) this.#onUnused?.();
    if (!this.#isIdle()) return;
    for (const waiter of this.#idleWaiters.splice(0)) waiter();
  }
}

function tooManyOpens(): ViasshError {
  return new ViasshError('CHANNEL_REFUSED', 'too many channels of this connection are open or were refused', {
    hint: 'ssh keeps a place for every refused one and has no more: let the open channels end, then it is renewed, or connect anew',
  });
}
