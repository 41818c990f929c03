import { longestPacket, type PacketChannel, toViasshError, ViasshError } from '@viassh/core';
import { failureOf } from '../wire/failure.ts';
import { FrameKind, MOST_CONTROL } from '../wire/frame.ts';
import { costOf, packetsWithin, packPackets, unpackPackets } from '../wire/packets.ts';
import { ReceiveWindow, SendWindow } from '../wire/window.ts';
import type { ServedChannelSetup } from './served-channel.ts';
import type { ServedId } from './served-id.ts';

/** Carries one tun channel to a client: what comes while it has no room waits, and then the far end drops. */
export class ServedTun implements ServedId {
  readonly #tun: PacketChannel;
  readonly #setup: ServedChannelSetup;
  readonly #toClient: SendWindow;
  readonly #fromClient: ReceiveWindow;
  #forClient: readonly Buffer[] = [];
  #forFarEnd: Buffer[] = [];
  #sending = false;
  #waitsForWire = false;
  #over = false;

  constructor(tun: PacketChannel, setup: ServedChannelSetup) {
    this.#tun = tun;
    this.#setup = setup;
    this.#toClient = new SendWindow(setup.clientWindow);
    this.#fromClient = new ReceiveWindow(setup.ownWindow);
    tun.onPackets((packets) => {
      this.#forClient = [...this.#forClient, ...packets];
      this.#flush();
    });
    void this.#watch();
  }

  frame(kind: number, body: Buffer): void {
    if (kind === FrameKind.packets) {
      const packets = unpackPackets(body);
      this.#fromClient.received(costOf(packets));
      this.#forFarEnd.push(...packets);
      void this.#send();
    } else if (kind === FrameKind.window) {
      this.#toClient.granted(body);
      this.#flush();
    } else {
      throw new ViasshError('PROTOCOL_ERROR', `a frame of kind ${kind} is not for a tun channel`);
    }
  }

  end(): void {
    this.#over = true;
    this.#forClient = [];
    this.#forFarEnd = [];
    void this.#tun.close();
  }

  async #watch(): Promise<void> {
    const { wire, id, forget } = this.#setup;
    const failure = await this.#tun.closed.then(
      () => undefined,
      (error: unknown) => toViasshError(error),
    );
    if (this.#over) return;
    if (failure === undefined) wire.send(FrameKind.close, id);
    else wire.sendJson(FrameKind.close, id, failureOf(failure));
    this.end();
    forget();
  }

  /** To the client. */
  #flush(): void {
    const { wire, id } = this.#setup;
    while (this.#forClient.length > 0) {
      if (this.#over) return;
      const first = packetsWithin(this.#forClient, Math.min(this.#toClient.room, MOST_CONTROL - 4));
      if (first === 0) return this.#tun.pause();
      if (!wire.isLow) return this.#waitForWire();
      const packets = this.#forClient.slice(0, first);
      this.#forClient = this.#forClient.slice(first);
      this.#toClient.took(costOf(packets));
      const body = packPackets(packets, 4);
      body.writeUInt32BE(this.#tun.counters.droppedIn >>> 0, 0);
      wire.send(FrameKind.packets, id, body);
    }
    this.#tun.resume();
  }

  #waitForWire(): void {
    this.#tun.pause();
    if (this.#waitsForWire) return;
    this.#waitsForWire = true;
    this.#setup.wire.whenLow(() => {
      this.#waitsForWire = false;
      this.#flush();
    });
  }

  /** To the far end, never more at a time than a tun channel that is ready has room for. */
  async #send(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    while (this.#forFarEnd.length > 0) {
      await this.#tun.ready();
      const packets = this.#forFarEnd.splice(0, Math.max(1, packetsWithin(this.#forFarEnd, longestPacket)));
      this.#tun.send(packets);
      const grant = this.#fromClient.consumed(costOf(packets));
      if (grant > 0 && !this.#over) this.#setup.wire.sendNumber(FrameKind.window, this.#setup.id, grant);
    }
    this.#sending = false;
  }
}
