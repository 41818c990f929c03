const MOST = 32 * 1024 * 1024;
const GROWTH = 4;
const PACKET = 32 * 1024;
/** Bytes in a millisecond. A window that lets so much through in a round trip is no hindrance: what is larger only costs memory. */
const FAST_ENOUGH = 512 * 1024;
/** Every channel gets so much, whatever the others hold. */
export const LEAST_WINDOW = 512;

/** What a window needs of the connection that it belongs to. */
export interface WindowSource {
  readonly now: () => number;
  /** To the server and back, as far as known. */
  readonly roundTripMs: () => number;
  /** Asks for so many bytes more; gets what may be had. */
  readonly more: (bytes: number) => number;
  /** So many bytes less. */
  readonly less: (bytes: number) => void;
  /** It is over, with this size. */
  readonly release: (size: number) => void;
}

/**
 * The receive window of a channel (RFC 4254 §5.2). What is granted and what waits unread are never more than its size
 * together. The size grows when the whole of it was consumed within two round trips: the server could have sent more,
 * and the reader would have kept up. On a short line it need not. A reader that stops gets what was granted before, and no more.
 */
export class ReceiveWindow {
  readonly #source: WindowSource;
  #size: number;
  /** What the server may still send. */
  #granted: number;
  /** Consumed, and not granted again. */
  #owed = 0;
  #spent = 0;
  #since: number | undefined;
  #waiting = 0;
  #closed = false;
  #released = false;

  constructor(size: number, source: WindowSource) {
    this.#size = size;
    this.#granted = size;
    this.#source = source;
  }

  get size(): number {
    return this.#size;
  }

  /** Bytes came. False when they were more than was granted. */
  received(bytes: number): boolean {
    this.#granted -= bytes;
    this.#waiting += bytes;
    this.#since ??= this.#source.now();
    return this.#granted >= 0;
  }

  /** Bytes were consumed; gives how many are to be granted now. */
  consumed(bytes: number): number {
    this.#waiting -= bytes;
    if (this.#closed) {
      this.#shrink();
      return 0;
    }
    this.#owed += bytes;
    this.#spent += bytes;
    if (this.#spent >= this.#size) this.#grow();
    // small steps cost messages, large ones leave a long line empty
    const step = Math.min(Math.max(this.#size / 8, PACKET), this.#size / 2);
    if (this.#owed < step) return 0;
    const grant = this.#owed;
    this.#owed = 0;
    this.#granted += grant;
    return grant;
  }

  /** Nothing more comes: only what waits unread counts from now on. */
  closed(): void {
    this.#closed = true;
    this.#shrink();
  }

  /** Nothing is to be granted any more, and nothing waits. */
  release(): void {
    if (this.#released) return;
    this.#closed = true;
    this.#released = true;
    this.#source.release(this.#size);
  }

  #shrink(): void {
    if (this.#released) return;
    const size = Math.min(this.#size, Math.max(this.#waiting, LEAST_WINDOW));
    this.#source.less(this.#size - size);
    this.#size = size;
  }

  #grow(): void {
    const took = this.#source.now() - (this.#since ?? 0);
    this.#since = undefined;
    this.#spent = 0;
    const roundTripMs = this.#source.roundTripMs();
    if (took > 2 * roundTripMs || this.#size > FAST_ENOUGH * roundTripMs) return;
    const more = this.#source.more(Math.min(this.#size * (GROWTH - 1), MOST - this.#size));
    this.#size += more;
    this.#owed += more;
  }
}
