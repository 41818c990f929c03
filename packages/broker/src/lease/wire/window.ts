import { ViasshError } from '@viassh/core';

/**
 * What one side of a lease lets the other send on a new channel, bytes. The sum over all channels is bounded: 32 of
 * 512 KiB, 224 of 64 KiB and all others of 8 KiB. On a socket of this machine there is no way to fill: half a
 * megabyte is more than the system takes at a time.
 */
export function windowFor(openChannels: number): number {
  if (openChannels < 32) return 512 * 1024;
  return openChannels < 256 ? 64 * 1024 : 8 * 1024;
}

/** That of a session's stderr. */
export function stderrWindow(window: number): number {
  return Math.ceil(window / 4);
}

/** Channels, forwards and pings that one client may have at a time. */
export const MOST_IDS = 4096;

/** What the other side may still send on a channel. */
export class ReceiveWindow {
  readonly #step: number;
  #granted: number;
  #owed = 0;

  constructor(size: number) {
    this.#granted = size;
    this.#step = size / 4;
  }

  /** @throws ViasshError PROTOCOL_ERROR when it is more than was granted */
  received(bytes: number): void {
    this.#granted -= bytes;
    if (this.#granted < 0) throw new ViasshError('PROTOCOL_ERROR', 'more came over a lease than its window allows');
  }

  /** Bytes wait no more; gives how many are to be granted now. */
  consumed(bytes: number): number {
    this.#owed += bytes;
    if (this.#owed < this.#step) return 0;
    const grant = this.#owed;
    this.#owed = 0;
    this.#granted += grant;
    return grant;
  }
}

/** What we may still send on a channel. */
export class SendWindow {
  #room: number;

  constructor(size: number) {
    this.#room = size;
  }

  get room(): number {
    return this.#room;
  }

  took(bytes: number): void {
    this.#room -= bytes;
  }

  /** The body of a `window` frame. @throws ViasshError PROTOCOL_ERROR */
  granted(body: Buffer): void {
    if (body.length !== 4) throw new ViasshError('PROTOCOL_ERROR', 'a window of a lease is a number of four bytes');
    this.#room += body.readUInt32BE(0);
    if (this.#room > 0xffffffff) throw new ViasshError('PROTOCOL_ERROR', 'a window of a lease grew beyond all measure');
  }
}
