/** What a tun channel carries, in ssh_config's words for Tunnel: IP packets, or Ethernet frames. */
export type TunMode = 'point-to-point' | 'ethernet';

/** A tun device of the far end (OpenSSH's PROTOCOL §2.3). */
export interface TunRequest {
  readonly mode: TunMode;
  /** The device's number there; undefined: the server takes a free one. */
  readonly unit?: number | undefined;
  /** For the opening alone. */
  readonly signal?: AbortSignal | undefined;
}

/** Packets, counted since the channel was opened. */
export interface PacketCounters {
  readonly sent: number;
  /** Came, delivered or not yet. */
  readonly received: number;
  /** Given to `send` with no room for them. */
  readonly droppedOut: number;
  /** Came from the far end and were not packets, or were longer than {@link longestPacket}. */
  readonly droppedIn: number;
}

/** A tun channel sends no packet longer than this, bytes; one that is longer is dropped and counted. */
export const longestPacket: number = 32 * 1024 - 8;

/**
 * A channel of packets with their boundaries: no stream, nothing is resent, and what finds no room is dropped, as a
 * network does. IPv4 and IPv6 packets stand bare; which of the two one is, its first half byte tells.
 */
export interface PacketChannel extends AsyncDisposable {
  readonly type: 'tun@openssh.com';
  readonly mode: TunMode;
  readonly counters: PacketCounters;
  /**
   * Sends in order as many as the window and the wire have room for and drops the rest; gives the number that went. The
   * buffers are the caller's again when it returns.
   */
  send(packets: readonly Buffer[]): number;
  /** Resolves when there is room again, at once when there is, and when the channel has closed. */
  ready(): Promise<void>;
  /** Takes what comes, a batch for each read of the wire. One handler; the buffers are its own. */
  onPackets(handler: (packets: readonly Buffer[]) => void): void;
  /** Until `resume()` packets wait here, at the most a window of 2 MiB of them; after that the far end drops. Starts paused without a handler. */
  pause(): void;
  resume(): void;
  /** Closes it; resolves at once. */
  close(): Promise<void>;
  /** Resolves when it is closed by either side; rejects with CONNECTION_LOST. A rejection nobody awaits is not unhandled. */
  readonly closed: Promise<void>;
}
