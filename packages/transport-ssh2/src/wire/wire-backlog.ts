import type { Duplex } from 'node:stream';

const MOST_UNSENT = 4 * 1024 * 1024;

/**
 * Bounds what waits for the wire: ssh2 writes packets without looking whether the wire takes them, and a server may
 * grant windows of gigabytes.
 */
export class WireBacklog {
  readonly #wire: Duplex;
  readonly #waiting: (() => void)[] = [];

  constructor(wire: Duplex) {
    this.#wire = wire;
    wire.on('drain', () => this.#release());
    wire.once('close', () => this.#release());
  }

  get isLow(): boolean {
    return this.#wire.writableLength < MOST_UNSENT || this.#wire.destroyed;
  }

  /** Calls back at once while the backlog is low, otherwise when the wire has taken it. */
  whenLow(callback: () => void): void {
    if (this.isLow) callback();
    else this.#waiting.push(callback);
  }

  #release(): void {
    for (const callback of this.#waiting.splice(0)) callback();
  }
}
