import {
  longestPacket,
  type PacketChannel,
  type PacketCounters,
  type TunMode,
  type TunRequest,
  ViasshError,
} from '@viassh/core';
import { message } from '../mux/messages.ts';
import { type Datagram, dataLength } from '../mux/packet-link.ts';
import type { WireReader } from '../mux/wire.ts';
import type { ChannelInit, ProxyEndpoint } from './proxy-endpoint.ts';
import { type SendWindow, WINDOW } from './window.ts';

/** OpenSSH's PROTOCOL §2.3 */
const wireModes: Readonly<Record<TunMode, number>> = { 'point-to-point': 1, ethernet: 2 };
const ANY_UNIT = 0x7fffffff;
/** The word before an IP packet: address families as OpenBSD numbers them, whatever the systems are. */
const families = { 4: uint32(2), 6: uint32(24) } as const;
const FAMILY_BYTES = 4;
const ETHERNET_HEADER_BYTES = 14;
/** OpenSSH takes so much more off its window than a packet is long. What it sends us it counts exactly. */
const CHARGED_MORE = 4;
/** Packets of ours that may wait for the kernel, bytes: more would be a long queue of stale packets. */
const WIRE_ROOM = 256 * 1024;
/** What was handed over is granted again in steps, bytes: each is a packet for the master and for sshd, too. */
const GRANT_STEP = WINDOW / 8;

/** The fields of the open request behind the common ones. @throws ViasshError OPTION_INVALID */
export function tunFields({ mode, unit }: TunRequest): readonly number[] {
  if (!Object.hasOwn(wireModes, mode)) {
    throw new ViasshError('OPTION_INVALID', `not a mode of a tun device: ${mode}`, {
      hint: 'use point-to-point or ethernet',
    });
  }
  if (unit !== undefined && !(Number.isInteger(unit) && unit >= 0 && unit < ANY_UNIT - 1)) {
    throw new ViasshError('OPTION_INVALID', `not a tun device's number: ${String(unit)}`);
  }
  return [wireModes[mode], unit ?? ANY_UNIT];
}

/** A tun channel over the mux proxy: one CHANNEL_DATA is one packet. */
export class TunChannel implements PacketChannel, ProxyEndpoint {
  readonly type = 'tun@openssh.com';
  readonly mode: TunMode;
  readonly counters: { -readonly [counter in keyof PacketCounters]: number } = {
    sent: 0,
    received: 0,
    droppedOut: 0,
    droppedIn: 0,
  };
  readonly closed: Promise<void>;
  readonly #init: ChannelInit;
  readonly #settleClosed: { resolve: () => void; reject: (error: Error) => void };
  /** Room enough to be called room: the longest packet, where the server grants so much at all. */
  readonly #enough: number;
  #handler: ((packets: readonly Buffer[]) => void) | undefined;
  #paused = true;
  #over = false;
  #left: number = WINDOW;
  #onWire = 0;
  /** Came, and was not handed over; their bytes are not granted again. */
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** Were handed over, and are not granted again yet. */
  #owed = 0;
  #deliveryIsDue = false;
  #readyWaiters: (() => void)[] = [];

  constructor(init: ChannelInit, mode: TunMode) {
    this.#init = init;
    this.mode = mode;
    this.#enough = Math.min(init.sendWindow.left, init.sendWindow.maxPacket);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.catch(() => undefined);
    this.closed = promise;
    this.#settleClosed = { resolve, reject };
  }

  get destroyed(): boolean {
    return this.#over;
  }

  send(packets: readonly Buffer[]): number {
    const taken: Datagram[] = [];
    let bytes = 0;
    let full = this.#over;
    for (const packet of packets) {
      const datagram = full ? undefined : this.#pack(packet);
      if (datagram === undefined) continue;
      const length = dataLength(datagram);
      full = this.#onWire + bytes + length > WIRE_ROOM || !takeWhole(this.#init.sendWindow, length + CHARGED_MORE);
      if (full) continue;
      bytes += length;
      taken.push(datagram);
    }
    this.counters.sent += taken.length;
    this.counters.droppedOut += packets.length - taken.length;
    if (taken.length > 0) {
      this.#onWire += bytes;
      this.#init.link.sendDatagrams(this.#init.remoteId, taken, () => {
        this.#onWire -= bytes;
        this.#wakeIfReady();
      });
    }
    return taken.length;
  }

  async ready(): Promise<void> {
    if (this.#hasRoom()) return;
    await new Promise<void>((resolve) => this.#readyWaiters.push(resolve));
  }

  onPackets(handler: (packets: readonly Buffer[]) => void): void {
    const isFirst = this.#handler === undefined;
    this.#handler = handler;
    if (isFirst) this.resume();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#scheduleDelivery(queueMicrotask);
  }

  async close(): Promise<void> {
    this.#end(undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  receive(type: number, fields: WireReader): void {
    if (type === message.channelData) this.#receiveData(fields.bytes());
    else if (type === message.channelWindowAdjust) {
      this.#init.sendWindow.granted(fields.uint32());
      this.#wakeIfReady();
    } else if (type === message.channelEof || type === message.channelClose)
      this.#end(undefined); // the device is gone: nothing comes any more
    else if (type === message.channelRequest && fields.bytes().length >= 0 && fields.boolean())
      this.#init.link.send(message.channelFailure, this.#init.remoteId);
  }

  abandon(reason: Error | undefined): void {
    this.#end(reason, false);
  }

  destroy(): void {
    this.#end(undefined);
  }

  #end(reason: Error | undefined, tell = true): void {
    if (this.#over) return;
    this.#deliver(); // what had arrived
    this.#over = true;
    if (tell) this.#init.link.send(message.channelClose, this.#init.remoteId);
    this.#waiting = [];
    this.#init.onGone();
    this.#wakeIfReady();
    if (reason === undefined) this.#settleClosed.resolve();
    else this.#settleClosed.reject(reason);
  }

  /** The data of one packet; undefined for what is none, or too long. */
  #pack(packet: Buffer): Datagram | undefined {
    if (packet.length > longestPacket) return undefined;
    if (this.mode === 'ethernet')
      return packet.length < ETHERNET_HEADER_BYTES ? undefined : { prefix: undefined, bytes: packet };
    const prefix = familyOf(packet);
    return prefix === undefined ? undefined : { prefix, bytes: packet };
  }

  #unpack(data: Buffer): Buffer | undefined {
    const packet = this.mode === 'ethernet' ? data : data.subarray(FAMILY_BYTES);
    if (packet.length > longestPacket) return undefined;
    if (this.mode === 'ethernet') return packet.length < ETHERNET_HEADER_BYTES ? undefined : packet;
    return familyOf(packet)?.equals(data.subarray(0, FAMILY_BYTES)) === true ? packet : undefined;
  }

  #receiveData(data: Buffer): void {
    this.#left -= data.length;
    if (this.#left < 0) throw new RangeError('the far end sent more than its window');
    if (this.#over) return;
    this.#waitingBytes += data.length;
    const packet = this.#unpack(data);
    if (packet === undefined) this.counters.droppedIn += 1;
    else {
      this.counters.received += 1;
      // What waits long must not hold the whole of the memory that it was read into.
      this.#waiting.push(this.#paused ? Buffer.from(packet) : packet);
    }
    this.#scheduleDelivery((deliver) => this.#init.link.afterRead(deliver));
  }

  #scheduleDelivery(later: (deliver: () => void) => void): void {
    if (this.#deliveryIsDue) return;
    this.#deliveryIsDue = true;
    later(() => {
      this.#deliveryIsDue = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    if (this.#paused || this.#over || this.#waitingBytes === 0) return;
    const packets = this.#waiting;
    const bytes = this.#waitingBytes;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#grant(bytes);
    if (packets.length > 0) this.#handler?.(packets);
  }

  #grant(bytes: number): void {
    this.#owed += bytes;
    if (this.#owed < GRANT_STEP) return;
    this.#left += this.#owed;
    this.#init.link.send(message.channelWindowAdjust, this.#init.remoteId, this.#owed);
    this.#owed = 0;
  }

  #hasRoom(): boolean {
    const { left } = this.#init.sendWindow;
    return this.#over || (left >= this.#enough && this.#onWire <= WIRE_ROOM - longestPacket);
  }

  #wakeIfReady(): void {
    if (this.#readyWaiters.length === 0 || !this.#hasRoom()) return;
    for (const resolve of this.#readyWaiters.splice(0)) resolve();
  }
}

/** Takes all of it off the window, or nothing. */
function takeWhole(window: SendWindow, bytes: number): boolean {
  if (bytes > window.left || bytes > window.maxPacket) return false;
  window.take(bytes);
  return true;
}

/** What the first half byte says the packet is. */
function familyOf(packet: Buffer): Buffer | undefined {
  const version = (packet[0] ?? 0) >> 4;
  return version === 4 || version === 6 ? families[version] : undefined;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
