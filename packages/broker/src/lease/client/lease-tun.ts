import { longestPacket, type PacketChannel, type PacketCounters, type TunMode, ViasshError } from '@viassh/core';
import { errorOf } from '../wire/failure.ts';
import { FrameKind } from '../wire/frame.ts';
import { jsonBody } from '../wire/json-body.ts';
import { costOf, PACKET_HEAD, packPackets, unpackPackets } from '../wire/packets.ts';
import { ReceiveWindow, SendWindow } from '../wire/window.ts';
import type { LeaseChannelSetup } from './lease-channel.ts';
import type { LeasedId } from './leased-id.ts';

/** core's PacketChannel on a lease. */
export class LeaseTun implements PacketChannel, LeasedId {
  readonly type = 'tun@openssh.com';
  readonly mode: TunMode;
  readonly closed: Promise<void>;
  readonly #settle: { resolve(): void; reject(error: ViasshError): void };
  readonly #setup: Omit<LeaseChannelSetup, 'type'>;
  readonly #window: ReceiveWindow;
  readonly #toBroker: SendWindow;
  readonly #counters = { sent: 0, received: 0, droppedOut: 0, droppedIn: 0 };
  #handler: ((packets: readonly Buffer[]) => void) | undefined;
  #waiting: Buffer[] = [];
  #paused = false;
  #over = false;
  #forRoom: (() => void)[] = [];

  constructor(mode: TunMode, setup: Omit<LeaseChannelSetup, 'type'>) {
    this.mode = mode;
    this.#setup = setup;
    this.#window = new ReceiveWindow(setup.ownWindow);
    this.#toBroker = new SendWindow(setup.brokerWindow);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.catch(() => undefined);
    this.closed = promise;
    this.#settle = { resolve, reject };
  }

  get counters(): PacketCounters {
    return { ...this.#counters };
  }

  send(packets: readonly Buffer[]): number {
    const going: Buffer[] = [];
    let room = this.#over || !this.#setup.wire.isLow ? 0 : this.#toBroker.room;
    for (const packet of packets) {
      if (packet.length > longestPacket) continue;
      room -= packet.length + PACKET_HEAD;
      if (room < 0) break;
      going.push(packet);
    }
    this.#counters.sent += going.length;
    this.#counters.droppedOut += packets.length - going.length;
    if (going.length === 0) return 0;
    this.#toBroker.took(costOf(going));
    this.#setup.wire.send(FrameKind.packets, this.#setup.id, packPackets(going));
    return going.length;
  }

  async ready(): Promise<void> {
    const { wire } = this.#setup;
    while (!this.#over && !(wire.isLow && this.#hasRoom())) {
      await new Promise<void>((resolve) => {
        if (this.#hasRoom()) wire.whenLow(resolve);
        else this.#forRoom.push(resolve);
      });
    }
  }

  onPackets(handler: (packets: readonly Buffer[]) => void): void {
    if (this.#handler !== undefined) throw new ViasshError('OPTION_INVALID', 'this tun channel has a handler');
    this.#handler = handler;
    this.#deliver();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#deliver();
  }

  async close(): Promise<void> {
    if (!this.#over) {
      this.#setup.wire.send(FrameKind.close, this.#setup.id);
      this.#setup.forget();
    }
    this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  frame(kind: number, body: Buffer): void {
    if (kind === FrameKind.packets && body.length >= 4) {
      const packets = unpackPackets(body, 4);
      this.#window.received(costOf(packets));
      this.#counters.droppedIn = body.readUInt32BE(0);
      this.#counters.received += packets.length;
      this.#waiting.push(...packets);
      this.#deliver();
    } else if (kind === FrameKind.window) {
      this.#toBroker.granted(body);
      this.#roomCame();
    } else if (kind === FrameKind.close) {
      this.#setup.forget();
      this.#end(body.length === 0 ? undefined : errorOf(jsonBody(body)));
    } else {
      throw new ViasshError('PROTOCOL_ERROR', `a frame of kind ${kind} is not for a tun channel`);
    }
  }

  lost(error: ViasshError): void {
    this.#end(error);
  }

  ended(error: ViasshError | undefined): void {
    this.#end(error);
  }

  /** For one of the longest packets, or half of a window that never is so large. */
  #hasRoom(): boolean {
    return this.#toBroker.room >= Math.min(longestPacket + PACKET_HEAD, this.#setup.brokerWindow / 2);
  }

  #deliver(): void {
    if (this.#paused || this.#over || this.#handler === undefined || this.#waiting.length === 0) return;
    const batch = this.#waiting;
    this.#waiting = [];
    const grant = this.#window.consumed(costOf(batch));
    if (grant > 0) this.#setup.wire.sendNumber(FrameKind.window, this.#setup.id, grant);
    this.#handler(batch);
  }

  #roomCame(): void {
    for (const resolve of this.#forRoom.splice(0)) resolve();
  }

  #end(error?: ViasshError): void {
    if (this.#over) return;
    this.#over = true;
    this.#waiting = [];
    this.#roomCame();
    if (error === undefined) this.#settle.resolve();
    else this.#settle.reject(error);
  }
}
