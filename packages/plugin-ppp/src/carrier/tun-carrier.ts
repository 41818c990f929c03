import { longestPacket, type PacketChannel, type TunMode } from '@viassh/core';
import type { CarrierCounters, LinkAddress, LinkTerms, PacketCarrier } from './packet-carrier.ts';

/** What a tun channel does not tell, and the user has to. */
export interface TunCarrierOptions {
  /** Bytes; at the most {@link longestPacket}, 18 less where it carries Ethernet. Both devices have to have it. */
  readonly mtu: number;
  readonly addresses: readonly LinkAddress[];
  readonly dns?: readonly string[] | undefined;
}

/** A device of the far sshd's own, as a carrier. The channel is the carrier's from now on. Agreed at once: sshd agrees on nothing. */
export function tunCarrier(channel: PacketChannel, { mtu, addresses, dns = [] }: TunCarrierOptions): PacketCarrier {
  return new TunCarrier(channel, { mtu: Math.min(mtu, largestMtu(channel.mode)), addresses, dns });
}

function largestMtu(mode: TunMode): number {
  return mode === 'ethernet' ? longestPacket - 18 : longestPacket;
}

class TunCarrier implements PacketCarrier {
  readonly vnetHeader = false;
  readonly agreed: Promise<LinkTerms>;
  readonly #channel: PacketChannel;
  #full = false;
  #ended = false;

  constructor(channel: PacketChannel, terms: LinkTerms) {
    this.#channel = channel;
    this.agreed = Promise.resolve(terms);
    const ended = (): void => {
      this.#ended = true;
    };
    channel.closed.then(ended, ended);
  }

  get mode(): TunMode {
    return this.#channel.mode;
  }

  get counters(): CarrierCounters {
    return this.#channel.counters;
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
    this.#channel.onPackets(handler);
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
