import { longestPacket, type PacketChannel, type PacketCounters, type TunMode } from '@viassh/core';
import type { FarNetwork } from './far-network.ts';

/** What sshd charges for a packet beside its bytes: the address family and the length. */
const OVERHEAD = 8;

/** A tun channel in memory: the far end's network is a function. */
export class MemoryTun implements PacketChannel {
  readonly type = 'tun@openssh.com';
  readonly mode: TunMode;
  readonly closed: Promise<void>;
  readonly #network: FarNetwork;
  readonly #windowSize: number;
  readonly #counters = { sent: 0, received: 0, droppedOut: 0, droppedIn: 0 };
  readonly #settle: { resolve(): void; reject(error: Error): void };
  #room: number;
  #waitingBytes = 0;
  #onTheWay: Buffer[] = [];
  #waiting: Buffer[] = [];
  #handler: ((packets: readonly Buffer[]) => void) | undefined;
  #paused = false;
  #ended = false;
  #forRoom: (() => void)[] = [];

  /** `windowSize` in bytes, for each direction; `ended` is called once. */
  constructor(mode: TunMode, network: FarNetwork, windowSize: number, ended: () => void) {
    this.mode = mode;
    this.#network = network;
    this.#windowSize = windowSize;
    this.#room = windowSize;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.then(ended, ended);
    this.closed = promise;
    this.#settle = { resolve, reject };
  }

  get counters(): PacketCounters {
    return { ...this.#counters };
  }

  send(packets: readonly Buffer[]): number {
    let sent = 0;
    let full = this.#ended;
    for (const packet of packets) {
      if (packet.length > longestPacket) continue;
      full ||= packet.length + OVERHEAD > this.#room;
      if (full) break;
      this.#room -= packet.length + OVERHEAD;
      if (this.#onTheWay.length === 0) setImmediate(() => this.#arrive());
      this.#onTheWay.push(Buffer.from(packet));
      sent += 1;
    }
    this.#counters.sent += sent;
    this.#counters.droppedOut += packets.length - sent;
    return sent;
  }

  async ready(): Promise<void> {
    while (!this.#ended && this.#room < longestPacket + OVERHEAD)
      await new Promise<void>((resolve) => this.#forRoom.push(resolve));
  }

  onPackets(handler: (packets: readonly Buffer[]) => void): void {
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
    this.#end();
    this.#settle.resolve();
  }

  /** The connection is gone. */
  lose(error: Error): void {
    this.#end();
    this.#settle.reject(error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #end(): void {
    this.#ended = true;
    this.#waiting = [];
    this.#wake();
  }

  /** What was sent is at the far end: its answers come back, as far as there is room for them here. */
  #arrive(): void {
    if (this.#ended) return;
    for (const packet of this.#onTheWay.splice(0)) {
      this.#room += packet.length + OVERHEAD;
      for (const answer of this.#network(packet, this.mode)) this.#receive(answer);
    }
    this.#wake();
    this.#deliver();
  }

  #receive(packet: Buffer): void {
    if (packet.length > longestPacket || !looksLikePacket(packet, this.mode)) {
      this.#counters.droppedIn += 1;
    } else if (this.#waitingBytes + packet.length + OVERHEAD <= this.#windowSize) {
      this.#waitingBytes += packet.length + OVERHEAD;
      this.#counters.received += 1;
      this.#waiting.push(packet);
    }
  }

  #deliver(): void {
    if (this.#paused || this.#handler === undefined || this.#waiting.length === 0) return;
    const batch = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#handler(batch);
  }

  #wake(): void {
    for (const wake of this.#forRoom.splice(0)) wake();
  }
}

function looksLikePacket(packet: Buffer, mode: TunMode): boolean {
  if (mode === 'ethernet') return packet.length >= 14; // IEEE 802.3: two addresses and a type
  const version = (packet[0] ?? 0) >> 4;
  return version === 4 || version === 6;
}
