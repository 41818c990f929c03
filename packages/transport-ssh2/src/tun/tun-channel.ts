import { longestPacket, type PacketChannel, type PacketCounters, type TunMode, ViasshError } from '@viassh/core';
import type { RawChannel, RawChannelSink } from '../ssh2-private/raw-channel.ts';
import type { WireBacklog } from '../wire/wire-backlog.ts';
import { headOf, packetOf } from './framing.ts';

/** What the server may send before packets are taken from us; it drops what is more. */
export const tunWindow: number = 2 * 1024 * 1024;
const GRANT_STEP = tunWindow / 8;
/** OpenSSH counts four bytes more for each packet that it gets (channels.c, channel_input_data). */
const UNCOUNTED_HEAD = 4;

/** How packets are put on top of a raw channel. */
export interface TunSetup {
  readonly mode: TunMode;
  readonly backlog: WireBacklog;
  /** Does the server count {@link UNCOUNTED_HEAD} bytes more for each packet? */
  readonly countsHead: boolean;
  /** Gives the window back to the connection. */
  readonly release: () => void;
}

/** core's PacketChannel: each CHANNEL_DATA is one packet. Below no stream, which would join and split them. */
export class TunChannel implements PacketChannel {
  readonly type = 'tun@openssh.com';
  readonly mode: TunMode;
  readonly closed: Promise<void>;
  readonly #raw: RawChannel;
  readonly #setup: TunSetup;
  readonly #counters = { sent: 0, received: 0, droppedOut: 0, droppedIn: 0 };
  readonly #fullWindow: number;
  #over = false;
  #settle!: { resolve(): void; reject(error: ViasshError): void };
  #handler: ((packets: readonly Buffer[]) => void) | undefined;
  #paused = false;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #delivery = false;
  #granted = tunWindow;
  #owed = 0;
  #roomWanted: (() => void)[] = [];

  constructor(raw: RawChannel, setup: TunSetup) {
    this.#raw = raw;
    this.#setup = setup;
    this.mode = setup.mode;
    this.#fullWindow = raw.room.window;
    this.closed = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.closed.catch(() => undefined);
  }

  get counters(): PacketCounters {
    return { ...this.#counters };
  }

  send(packets: readonly Buffer[]): number {
    let sent = 0;
    for (const [index, packet] of packets.entries()) {
      if (!this.#hasRoom(packet.length)) {
        this.#counters.droppedOut += packets.length - index;
        break;
      }
      const head = headOf(packet, this.mode);
      if (head === undefined) {
        this.#counters.droppedOut += 1;
        continue;
      }
      this.#raw.writePacket(packet, head, this.#cost(head.length + packet.length));
      sent += 1;
    }
    this.#counters.sent += sent;
    return sent;
  }

  async ready(): Promise<void> {
    while (!this.#over && !this.#isReady()) {
      await new Promise<void>((resolve) => {
        this.#roomWanted.push(resolve);
        if (!this.#setup.backlog.isLow) this.#setup.backlog.whenLow(() => this.#roomCame());
      });
    }
  }

  onPackets(handler: (packets: readonly Buffer[]) => void): void {
    if (this.#handler !== undefined) throw new ViasshError('OPTION_INVALID', 'this tun channel has a handler');
    this.#handler = handler;
    this.#deliverSoon();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#deliverSoon();
  }

  async close(): Promise<void> {
    if (!this.#over) this.#raw.close();
    this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The connection ended: lost with an error, or closed by us without. */
  connectionEnded(error?: ViasshError): void {
    this.#end(error);
  }

  /** What the wire tells goes here. */
  sink(): RawChannelSink {
    return {
      data: (chunk) => this.#received(chunk),
      stderr: (chunk) => this.#take(chunk.length),
      eof: () => undefined,
      exit: () => undefined,
      roomCame: () => this.#roomCame(),
      closed: () => this.#end(),
    };
  }

  #received(data: Buffer): void {
    if (this.#over) return;
    this.#granted -= data.length;
    if (this.#granted < 0) {
      this.#raw.close();
      return this.#end(
        new ViasshError('PROTOCOL_ERROR', 'the server sent more than the window of the tun channel allows'),
      );
    }
    const packet = packetOf(data, this.mode);
    if (packet === undefined) {
      this.#counters.droppedIn += 1;
      return this.#take(data.length);
    }
    this.#counters.received += 1;
    this.#waiting.push(packet);
    this.#waitingBytes += data.length;
    this.#deliverSoon();
  }

  /** Behind all that came with the same read of the wire. */
  #deliverSoon(): void {
    if (this.#delivery || this.#paused || this.#handler === undefined || this.#waiting.length === 0) return;
    this.#delivery = true;
    queueMicrotask(() => {
      this.#delivery = false;
      if (this.#paused || this.#over) return;
      const batch = this.#waiting;
      const bytes = this.#waitingBytes;
      this.#waiting = [];
      this.#waitingBytes = 0;
      this.#take(bytes);
      this.#handler?.(batch);
    });
  }

  /** So many bytes of data wait no more. */
  #take(bytes: number): void {
    this.#owed += bytes;
    if (this.#owed < GRANT_STEP || this.#over) return;
    this.#granted += this.#owed;
    this.#raw.grant(this.#owed);
    this.#owed = 0;
  }

  #cost(length: number): number {
    return length + (this.#setup.countsHead ? UNCOUNTED_HEAD : 0);
  }

  #hasRoom(length: number): boolean {
    const { window, packetSize } = this.#raw.room;
    const data = length + (this.mode === 'ethernet' ? 0 : 4);
    return !this.#over && this.#setup.backlog.isLow && this.#cost(data) <= window && data <= packetSize;
  }

  /** Room for the longest packet, or for half of a window that never was so large. */
  #isReady(): boolean {
    const wanted = Math.min(longestPacket + 8, this.#fullWindow / 2);
    return this.#setup.backlog.isLow && this.#raw.room.window >= wanted;
  }

  #roomCame(): void {
    for (const resolve of this.#roomWanted.splice(0)) resolve();
  }

  #end(error?: ViasshError): void {
    if (this.#over) return;
    this.#over = true;
    this.#waiting = [];
    this.#setup.release();
    this.#roomCame();
    if (error === undefined) this.#settle.resolve();
    else this.#settle.reject(error);
  }
}
