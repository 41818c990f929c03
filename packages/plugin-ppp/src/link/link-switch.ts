import type { PacketDevice } from '@viassh/core';
import type { PacketCarrier } from '../carrier/packet-carrier.ts';

/** Packets that went through a link, over all its carriers. */
export interface LinkTraffic {
  /** To the far end. */
  readonly sent: number;
  /** From the far end, taken by the kernel. */
  readonly received: number;
  /** Either way: no room, no packets, or no link at that moment. */
  readonly dropped: number;
}

/**
 * Joins a device, which stays, to the carrier of the moment. What the kernel sends while there is none is dropped, as by a
 * cable that is out.
 */
export class LinkSwitch {
  readonly #device: PacketDevice;
  #carrier: PacketCarrier | undefined;
  #ofThose = { sent: 0, dropped: 0 };
  #unplugged = 0;

  constructor(device: PacketDevice) {
    this.#device = device;
    device.onPackets((packets) => this.#out(packets));
    device.resume();
  }

  get traffic(): LinkTraffic {
    const { written, dropped } = this.#device.counters;
    const now = countsOf(this.#carrier);
    return {
      sent: this.#ofThose.sent + now.sent,
      received: written,
      dropped: this.#ofThose.dropped + now.dropped + dropped + this.#unplugged,
    };
  }

  /** From now on packets go over it, both ways. A carrier is joined once. */
  join(carrier: PacketCarrier): void {
    this.leave();
    this.#carrier = carrier;
    carrier.onPackets((packets) => {
      if (this.#carrier === carrier) this.#device.write(packets);
    });
    carrier.resume();
    this.#device.resume();
  }

  leave(): void {
    const { sent, dropped } = countsOf(this.#carrier);
    this.#ofThose = { sent: this.#ofThose.sent + sent, dropped: this.#ofThose.dropped + dropped };
    this.#carrier = undefined;
    this.#device.resume(); // it may wait for room in a carrier that is gone
  }

  /** A full carrier holds the kernel back: its queue is where packets wait, and are dropped, as on any device. */
  #out(packets: readonly Buffer[]): void {
    const carrier = this.#carrier;
    if (carrier === undefined) {
      this.#unplugged += packets.length;
      return;
    }
    carrier.send(packets);
    if (!carrier.full) return;
    this.#device.pause();
    void this.#resumeWhenReady(carrier);
  }

  async #resumeWhenReady(carrier: PacketCarrier): Promise<void> {
    await carrier.ready();
    if (this.#carrier === carrier) this.#device.resume();
  }
}

function countsOf(carrier: PacketCarrier | undefined): { sent: number; dropped: number } {
  if (carrier === undefined) return { sent: 0, dropped: 0 };
  const { sent, droppedIn, droppedOut } = carrier.counters;
  return { sent, dropped: droppedIn + droppedOut };
}
