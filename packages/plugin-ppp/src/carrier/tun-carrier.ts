import { longestPacket, type PacketChannel, type TunMode } from '@viassh/core';
import type { PacketFilter } from '../address/packet-filter.ts';
import { linkFilter } from './link-filter.ts';
import type { CarrierCounters, LinkAddress, LinkTerms, PacketCarrier } from './packet-carrier.ts';

/** What a tun channel does not tell, and the user has to. */
export interface TunCarrierOptions {
  /** Bytes; at the most {@link longestPacket}, 18 less where it carries Ethernet. Both devices have to have it. */
  readonly mtu: number;
  readonly addresses: readonly LinkAddress[];
  readonly dns?: readonly string[] | undefined;
  /** As `PppOptions.acceptFrom`: where packets may come from. Without addresses, and for Ethernet: from anywhere. */
  readonly acceptFrom?: readonly string[] | undefined;
}

/** A device of the far sshd's own, as a carrier. The channel is the carrier's from now on. Agreed at once: sshd agrees on nothing. */
export function tunCarrier(channel: PacketChannel, options: TunCarrierOptions): PacketCarrier {
  return new TunCarrier(channel, options);
}

function largestMtu(mode: TunMode): number {
  return mode === 'ethernet' ? longestPacket - 18 : longestPacket;
}

class TunCarrier implements PacketCarrier {
  readonly vnetHeader = false;
  readonly agreed: Promise<LinkTerms>;
  readonly #channel: PacketChannel;
  readonly #accepts: PacketFilter | undefined;
  #notAccepted = 0;
  #full = false;
  #ended = false;

  constructor(channel: PacketChannel, { mtu, addresses, dns = [], acceptFrom }: TunCarrierOptions) {
    this.#channel = channel;
    this.agreed = Promise.resolve({ mtu: Math.min(mtu, largestMtu(channel.mode)), addresses, dns });
    this.#accepts = linkFilter(channel.mode, addresses, acceptFrom, 0);
    const ended = (): void => {
      this.#ended = true;
    };
    channel.closed.then(ended, ended);
  }

  get mode(): TunMode {
    return this.#channel.mode;
  }

  get counters(): CarrierCounters {
    const counters = this.#channel.counters;
    return { ...counters, droppedIn: counters.droppedIn + this.#notAccepted };
  }

  /** The channel drops at the first packet too many: it has told by then. */
  get full(): boolean {
    return this.#full && !this.#ended;
  }

  get closed(): Promise<void> {
    return this.#channel.closed;
  }

  send(packets: readonly Buffer[]): number {
    const sent = this.#channel.send(packets);
    if (sent < packets.length) this.#full = true;
    return sent;
  }

  async ready(): Promise<void> {
    await this.#channel.ready();
    this.#full = false;
  }

  onPackets(handler: (packets: readonly Buffer[]) => void): void {
    const accepts = this.#accepts;
    if (accepts === undefined) return this.#channel.onPackets(handler);
    this.#channel.onPackets((packets) => {
      const accepted = packets.filter(accepts);
      this.#notAccepted += packets.length - accepted.length;
      if (accepted.length > 0) handler(accepted);
    });
  }

  pause(): void {
    this.#channel.pause();
  }

  resume(): void {
    this.#channel.resume();
  }

  close(): Promise<void> {
    return this.#channel.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#channel.close();
  }
}
