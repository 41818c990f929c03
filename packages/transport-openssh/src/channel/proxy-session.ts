import {
  abortedError,
  type ChannelOpening,
  channelRefused,
  openFailure,
  type SessionRequest,
  type TcpipTarget,
  type ViasshError,
} from '@viassh/core';
import { message } from '../mux/messages.ts';
import type { MuxProxy } from '../mux/open-mux-proxy.ts';
import { PacketLink } from '../mux/packet-link.ts';
import { type Field, WireReader } from '../mux/wire.ts';
import { ProxyChannel, type ProxyChannelInit } from './proxy-channel.ts';
import { ProxySessionChannel } from './proxy-session-channel.ts';
import { MAX_PACKET, SendWindow, WINDOW } from './window.ts';

interface PendingOpen {
  readonly opening: ChannelOpening;
  confirmed(remoteId: number, sendWindow: SendWindow): ProxyChannel;
  refused(error: ViasshError): void;
}

/** All channels of one mux proxy: opens them, routes messages to them, ends them together. */
export class ProxySession {
  readonly #link: PacketLink;
  readonly #pending = new Map<number, PendingOpen>();
  readonly #channels = new Map<number, ProxyChannel>();
  readonly #idleWaiters: (() => void)[] = [];
  #nextId = 0;
  #refusal: ViasshError | undefined;
  #ended: ViasshError | undefined;

  constructor(proxy: MuxProxy) {
    this.#link = new PacketLink(proxy, (type, body) => this.#receive(type, body));
  }

  async openSession(request: SessionRequest): Promise<ProxySessionChannel> {
    const { signal } = request;
    const channel = await this.#open({ type: 'session' }, [], signal, (init) => new ProxySessionChannel(init));
    const onAbort = (): void => void channel.destroy();
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await channel.start(request);
      if (this.#ended !== undefined) throw this.#ended;
      return channel;
    } catch (error) {
      channel.destroy();
      if (signal?.aborted === true) throw abortedError(signal.reason);
      throw this.#ended ?? error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async openDirectTcpip(
    { host, port, originatorAddress = '127.0.0.1', originatorPort = 0 }: TcpipTarget,
    signal?: AbortSignal,
  ): Promise<ProxyChannel> {
    return await this.#open(
      { type: 'direct-tcpip', host, port },
      [host, port, originatorAddress, originatorPort],
      signal,
      (init) => new ProxyChannel(init),
    ); // RFC 4254 §7.2
  }

  async openDirectStreamlocal(path: string, signal?: AbortSignal): Promise<ProxyChannel> {
    return await this.#open(
      { type: 'direct-streamlocal@openssh.com', path },
      [path, '', 0],
      signal,
      (init) => new ProxyChannel(init),
    ); // PROTOCOL §2.4
  }

  /** From now on nothing is opened; what is open goes on. */
  refuseOpens(error: ViasshError): void {
    this.#refusal ??= error;
  }

  /** Resolves when no channel is left, or is being opened. */
  async idle(): Promise<void> {
    if (this.#channels.size + this.#pending.size === 0) return;
    await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Ends every channel: quietly when we closed the connection, with the error when it was lost. */
  end(error: ViasshError, lost: boolean): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    this.refuseOpens(error);
    for (const open of this.#pending.values()) open.refused(error);
    this.#pending.clear();
    for (const channel of this.#channels.values()) channel.abandon(lost ? error : undefined);
    this.#link.socket.end();
    this.#checkIdle();
  }

  async #open<C extends ProxyChannel>(
    opening: ChannelOpening,
    fields: readonly Field[],
    signal: AbortSignal | undefined,
    make: (init: ProxyChannelInit) => C,
  ): Promise<C> {
    if (this.#refusal !== undefined) throw this.#refusal;
    if (signal?.aborted === true) throw abortedError(signal.reason);
    const { type } = opening;
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<C>();
    let abandoned = false;
    const onAbort = (): void => {
      abandoned = true;
      reject(abortedError(signal?.reason));
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#pending.set(id, {
      opening,
      refused: reject,
      confirmed: (remoteId, sendWindow) => {
        const onGone = (): void => {
          this.#channels.delete(id);
          this.#checkIdle();
        };
        const channel = make({ type, link: this.#link, remoteId, sendWindow, onGone });
        if (abandoned) channel.destroy();
        else resolve(channel);
        return channel;
      },
    });
    try {
      this.#link.send(message.channelOpen, type, id, WINDOW, MAX_PACKET, ...fields);
      return await promise;
    } catch (error) {
      if (!abandoned) this.#pending.delete(id);
      throw error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  #receive(type: number, body: Buffer): void {
    const fields = new WireReader(body);
    if (type === message.channelOpen) return this.#refuseIncoming(fields);
    const id = fields.uint32();
    if (type === message.channelOpenConfirmation) this.#confirmed(id, fields);
    else if (type === message.channelOpenFailure) this.#refusedOpen(id, fields);
    else this.#channels.get(id)?.receive(type, fields);
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
    this.#pending.delete(id);
    pending?.refused(channelRefused(pending.opening, reason, said));
    this.#checkIdle();
  }

  /** Nothing was asked for that would let the far end open a channel (RFC 4254 §5.1). */
  #refuseIncoming(fields: WireReader): void {
    const type = fields.text();
    this.#link.send(
      message.channelOpenFailure,
      fields.uint32(),
      openFailure.prohibited,
      `${type} was not asked for`,
      '',
    );
  }

  #checkIdle(): void {
    if (this.#channels.size + this.#pending.size > 0) return;
    for (const waiter of this.#idleWaiters.splice(0)) waiter();
  }
}
