import type { Duplex } from 'node:stream';
import { toViasshError } from '@viassh/core';
import type { PppOptions, PppSession } from '../ppp/ppp-session.ts';
import type { CarrierCounters, LinkTerms, PacketCarrier } from './packet-carrier.ts';
import { Wire } from './wire.ts';

/** Makes a session whose frames and packets go where it is told: `(ends) => createPppSession({ ...options, ...ends })`. */
export type PppSessionMaker = (ends: Pick<PppOptions, 'output' | 'onPackets'>) => PppSession;

/**
 * PPP over any stream that does not change bytes: the stream is the carrier's from now on, and negotiation begins at once.
 * What finds no room is dropped, whole frames of it, as a line would: PPP repeats what matters to it.
 */
export function pppCarrier(stream: Duplex, makeSession: PppSessionMaker): PacketCarrier {
  return new PppCarrier(stream, makeSession);
}

class PppCarrier implements PacketCarrier {
  readonly mode = 'point-to-point';
  readonly vnetHeader = false;
  readonly agreed: Promise<LinkTerms>;
  readonly closed: Promise<void>;
  readonly #session: PppSession;
  readonly #wire: Wire;
  #handler: ((packets: readonly Buffer[]) => void) | undefined;
  #paused = false;
  /** Given while there was no room, or no handler. */
  #shutOut = 0;
  #unhandled = 0;

  constructor(stream: Duplex, makeSession: PppSessionMaker) {
    this.#session = makeSession({
      output: (bytes) => {
        if (!this.#wire.shut) this.#wire.write(bytes);
      },
      onPackets: (packets) => this.#deliver(packets),
    });
    this.agreed = this.#untilAgreed();
    this.agreed.catch(() => undefined);
    this.#wire = new Wire(stream, {
      onBytes: (bytes) => this.#session.receive(bytes),
      onEnd: (error) => {
        this.#session.lowerDown(error === undefined ? undefined : toViasshError(error, 'CONNECTION_LOST'));
      },
    });
    this.closed = this.#untilClosed();
    this.closed.catch(() => undefined);
    this.#session.open();
  }

  get counters(): CarrierCounters {
    const { sent, received, droppedOut, droppedIn } = this.#session.counters;
    return { sent, received, droppedOut: droppedOut + this.#shutOut, droppedIn: droppedIn + this.#unhandled };
  }

  get full(): boolean {
    return this.#wire.full;
  }

  send(packets: readonly Buffer[]): number {
    if (!this.#wire.shut) return this.#session.send(packets);
    this.#shutOut += packets.length;
    return 0;
  }

  ready(): Promise<void> {
    return this.#wire.ready();
  }

  onPackets(handler: (packets: readonly Buffer[]) => void): void {
    this.#handler = handler;
    if (!this.#paused) this.#wire.resume();
  }

  pause(): void {
    this.#paused = true;
    this.#wire.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#wire.resume();
  }

  async close(): Promise<void> {
    this.#wire.resume(); // the answer to Terminate-Request stands behind packets that nobody wants any more
    await this.#session.close();
    await this.closed.catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    this.#wire.destroy();
  }

  #deliver(packets: readonly Buffer[]): void {
    if (this.#handler === undefined) this.#unhandled += packets.length;
    else this.#handler(packets);
  }

  /** From then on packets come, and nobody may want them yet. */
  async #untilAgreed(): Promise<LinkTerms> {
    const terms = await this.#session.agreed;
    if (this.#handler === undefined) this.#wire.pause();
    return terms;
  }

  async #untilClosed(): Promise<void> {
    try {
      await this.#session.closed;
    } finally {
      this.#wire.finish();
      this.#wire.resume(); // so that the stream comes to its end
    }
  }
}
