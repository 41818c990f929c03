import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import { isExchangingKeys } from '../ssh2-private/rekey.ts';

const MOST_UNSENT = 4 * 1024 * 1024;

/**
 * Bounds what waits for the wire: ssh2 writes packets without looking whether the wire takes them, keeps them while keys
 * are exchanged anew, and a server may grant windows of gigabytes.
 */
export class WireBacklog {
  readonly #client: Client;
  readonly #wire: Duplex;
  readonly #waiting: (() => void)[] = [];

  constructor(client: Client, wire: Duplex) {
    this.#client = client;
    this.#wire = wire;
    wire.on('drain', () => this.#release());
    wire.once('close', () => this.#release());
    client.on('handshake', () => this.#release()); // what ssh2 has kept was written before this event
  }

  get isLow(): boolean {
    return this.#wire.destroyed || (this.#wire.writableLength < MOST_UNSENT && !isExchangingKeys(this.#client));
  }

  /** Calls back at once while the backlog is low, otherwise when the wire has taken it. */
  whenLow(callback: () => void): void {
    if (this.isLow) callback();
    else this.#waiting.push(callback);
  }

  #release(): void {
    if (!this.isLow) return;
    for (const callback of this.#waiting.splice(0)) callback();
  }
}
