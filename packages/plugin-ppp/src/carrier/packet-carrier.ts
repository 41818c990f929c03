import type { TunMode } from '@viassh/core';

/** An address of a link and its other end. */
export interface LinkAddress {
  /** Ours, as text. */
  readonly local: string;
  /** The other end's; undefined on a network of more than two. */
  readonly remote?: string | undefined;
  /** Bits of the network's part; 32 or 128 between two ends. */
  readonly prefix: number;
}

/** What the two ends of a link have agreed on. */
export interface LinkTerms {
  /** Bytes of the largest IP packet that may go. */
  readonly mtu: number;
  /** One for each family that came up; none where nobody tells (a bare tun channel). */
  readonly addresses: readonly LinkAddress[];
  /** Name servers that the far end told. */
  readonly dns: readonly string[];
}

/** Packets, counted since it was opened. */
export interface CarrierCounters {
  readonly sent: number;
  readonly received: number;
  readonly droppedOut: number;
  /** Came and were not taken: wrong frames, no packets, addresses that were not agreed on. */
  readonly droppedIn: number;
}

/** What carries packets to the far end of a link: PPP, frames of our own, or a tun channel. */
export interface PacketCarrier extends AsyncDisposable {
  readonly mode: TunMode;
  /** As of PacketDevice: both sides of a link have it or neither. */
  readonly vnetHeader: boolean;
  readonly counters: CarrierCounters;
  /** Resolves when packets may go; rejects with what went wrong. A rejection nobody awaits is not unhandled. */
  readonly agreed: Promise<LinkTerms>;
  /**
   * What is sent now only lengthens the queue: pause what feeds it until `ready()`. A little more is taken all the same, so
   * that the batch that is on its way is not lost. False when the carrier has ended.
   */
  readonly full: boolean;
  /** Sends in order, drops what finds no room; gives the number that went. The buffers are the caller's again when it returns. */
  send(packets: readonly Buffer[]): number;
  /** Resolves when there is room, and when it has ended. */
  ready(): Promise<void>;
  /** One handler; until there is one packets wait at the far end, as with `pause()`. The buffers are the carrier's again when it returns. */
  onPackets(handler: (packets: readonly Buffer[]) => void): void;
  pause(): void;
  resume(): void;
  /** Resolves when either side ended it in good order; rejects with a ViasshError else. Not noticed while it is paused. */
  readonly closed: Promise<void>;
  /** Ends it in good order (PPP: Terminate-Request), within a bounded time. */
  close(): Promise<void>;
}
