import type { PacketChannel, PacketCounters, TunMode } from '../connection/packet-channel.ts';
import type { ViasshError } from '../errors/viassh-error.ts';
import type { TrafficCounter } from './traffic.ts';

/** A tun channel whose bytes are counted, and which can be ended as lost. */
export class SupervisedTun implements PacketChannel {
  readonly type = 'tun@openssh.com';
  readonly mode: TunMode;
  readonly closed: Promise<void>;
  readonly #inner: PacketChannel;
  readonly #traffic: TrafficCounter;
  readonly #lost = Promise.withResolvers<never>();

  constructor(inner: PacketChannel, traffic: TrafficCounter) {
    this.#inner = inner;
    this.#traffic = traffic;
    this.mode = inner.mode;
    this.closed = Promise.race([inner.closed, this.#lost.promise]);
    this.closed.catch(() => undefined);
  }

  get counters(): PacketCounters {
    return this.#inner.counters;
  }

  send(packets: readonly Buffer[]): number {
    const sent = this.#inner.send(packets);
    this.#traffic.sent += bytesOf(packets.slice(0, sent));
    return sent;
  }

  async ready(): Promise<void> {
    await this.#inner.ready();
  }

  onPackets(handler: (packets: readonly Buffer[]) => void): void {
    this.#inner.onPackets((packets) => {
      this.#traffic.received += bytesOf(packets);
      handler(packets);
    });
  }

  pause(): void {
    this.#inner.pause();
  }

  resume(): void {
    this.#inner.resume();
  }

  async close(): Promise<void> {
    await this.#inner.close();
  }

  /** Closes it, with an error as lost. */
  end(error: ViasshError | undefined): void {
    if (error !== undefined) this.#lost.reject(error);
    void this.#inner.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function bytesOf(packets: readonly Buffer[]): number {
  let bytes = 0;
  for (const { length } of packets) bytes += length;
  return bytes;
}
