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

/** Bytes of packets that may be held for room: those of one batch of a device. */
const MOST_HELD = 2 * 1024 * 1024;

class TunCarrier implements PacketCarrier {
  readonly vnetHeader = false;
  readonly agreed: Promise<LinkTerms>;
  readonly #channel: PacketChannel;
  readonly #accepts: PacketFilter | undefined;
  #notAccepted = 0;
  /** Found no room in the channel, which has counted them as dropped: they go first when there is some. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  #droppedOut = 0;
  #sent = 0;
  #ended = false;

  constructor(channel: PacketChannel, { mtu, addresses, dns = [], acceptFrom }: TunCarrierOptions) {
    this.#channel = channel;
    this.agreed = Promise.resolve({ mtu: Math.min(mtu, largestMtu(channel.mode)), addresses, dns });
    this.#accepts = linkFilter(channel.mode, addresses, acceptFrom, 0);
    const ended = (): void => {
      this.#ended = true;
      this.#drop(this.#held.splice(0).length);
    };
    channel.closed.then(ended, ended);
  }

  get mode(): TunMode {
    return this.#channel.mode;
  }

  get counters(): CarrierCounters {
    const { received, droppedIn } = this.#channel.counters;
    return { sent: this.#sent, received, droppedOut: this.#droppedOut, droppedIn: droppedIn + this.#notAccepted };
  }

  get full(): boolean {
    return this.#held.length > 0 && !this.#ended;
  }

  get closed(): Promise<void> {
    return this.#channel.closed;
  }

  send(packets: readonly Buffer[]): number {
    const fitting = packets.filter((packet) => isPacket(packet, this.#channel.mode));
    this.#drop(packets.length - fitting.length);
    const sent = this.#held.length > 0 ? 0 : this.#channel.send(fitting);
    let taken = sent;
    if (!this.#ended)
      for (; taken < fitting.length && this.#heldBytes < MOST_HELD; taken += 1) this.#hold(fitting[taken]!);
    this.#sent += sent;
    this.#drop(fitting.length - taken);
    return taken;
  }

  async ready(): Promise<void> {
    while (this.full) {
      await this.#channel.ready();
      this.#sendHeld();
    }
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

  #hold(packet: Buffer): void {
    this.#held.push(Buffer.from(packet));
    this.#heldBytes += packet.length;
  }

  /** One that finds no room though the channel has said that there is some would never find any. */
  #sendHeld(): void {
    if (!this.full) return;
    const sent = this.#channel.send(this.#held);
    this.#sent += sent;
    if (sent === 0) this.#drop(1);
    for (const { length } of this.#held.splice(0, Math.max(1, sent))) this.#heldBytes -= length;
  }

  #drop(packets: number): void {
    this.#droppedOut += packets;
  }
}

/** Whether the channel sends it when it has room; of others it would not tell which they were. */
function isPacket(packet: Buffer, mode: TunMode): boolean {
  if (packet.length > longestPacket) return false;
  if (mode === 'ethernet') return packet.length >= 14;
  const version = (packet[0] ?? 0) >>> 4;
  return version === 4 || version === 6;
}
