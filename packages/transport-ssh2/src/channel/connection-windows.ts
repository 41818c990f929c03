import { LEAST_WINDOW, ReceiveWindow } from './receive-window.ts';

const LIMIT = 64 * 1024 * 1024;
const MOST_START = 2 * 1024 * 1024;
const SHARED = 7 / 8;
const ROUND_TRIPS_KEPT = 8;
const UNKNOWN_ROUND_TRIP_MS = 100;

/**
 * What the server may send on all channels of a connection together. Most of the limit is shared out: a channel starts
 * with less the more there are, and grows by what is left. The rest is for the least that each one gets: of 64 MiB it is
 * enough for 16,384 channels, which is what OpenSSH has numbers for.
 */
export class ConnectionWindows {
  readonly #limit: number;
  readonly #now: () => number;
  readonly #roundTrips: number[] = [];
  #known = Number.POSITIVE_INFINITY;
  #shortest = UNKNOWN_ROUND_TRIP_MS;
  #channels = 0;
  #shared = 0;
  #fixed = 0;

  constructor(limit: number = LIMIT, now: () => number = () => performance.now()) {
    this.#limit = limit;
    this.#now = now;
  }

  /** As {@link answeredAfter}, and never forgotten: the login knows best how short the line is. */
  knownRoundTrip(ms: number): void {
    this.#known = ms;
    this.#shortest = Math.min(ms, ...this.#roundTrips);
  }

  /** Bytes that the server may have on the way to us, and that may wait here. */
  get total(): number {
    return this.#shared + this.#fixed + this.#channels * LEAST_WINDOW;
  }

  /** The window of a new channel. */
  open(): ReceiveWindow {
    this.#channels += 1;
    const fair = this.#pool / (8 * this.#channels);
    const extra = Math.max(0, Math.floor(Math.min(MOST_START, fair, this.#left)) - LEAST_WINDOW);
    this.#shared += extra;
    return new ReceiveWindow(LEAST_WINDOW + extra, {
      now: this.#now,
      roundTripMs: () => this.roundTripMs,
      more: (bytes) => this.#more(bytes),
      less: (bytes) => void (this.#shared -= bytes),
      release: (size) => {
        this.#channels -= 1;
        this.#shared -= size - LEAST_WINDOW;
      },
    });
  }

  /** A window that does not grow; what it returns gives it back. */
  hold(bytes: number): () => void {
    this.#fixed += bytes;
    return () => void (this.#fixed -= bytes);
  }

  /** The server answered after so long; an answer may take longer than the way there and back, never shorter. */
  answeredAfter(ms: number): void {
    this.#roundTrips.push(ms);
    if (this.#roundTrips.length > ROUND_TRIPS_KEPT) this.#roundTrips.shift();
    this.#shortest = Math.min(this.#known, ...this.#roundTrips);
  }

  /** The shortest of the last few. */
  get roundTripMs(): number {
    return this.#shortest;
  }

  get #pool(): number {
    return this.#limit * SHARED;
  }

  get #left(): number {
    return this.#pool - this.#shared - this.#fixed;
  }

  /** At the most half of what is left: there is always something for the next. */
  #more(bytes: number): number {
    const granted = Math.max(0, Math.min(bytes, Math.floor(this.#left / 2)));
    this.#shared += granted;
    return granted;
  }
}
