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
  readonly #counters = { sent: 0, received: 0, droppedOut: 0, droppedIn: 0 };
  #handler: ((packets: readonly Buffer[]) => void) | undefined;
  #lost: Error | undefined;

  constructor(stream: Duplex, makeSession: PppSessionMaker) {
    this.#session = makeSession({
      output: (bytes) => {
        if (!this.#wire.shut) this.#wire.write(bytes);
      },
      onPackets: (packets) => this.#deliver(packets),
    });
    this.agreed = this.#telling(this.#session.agreed);
    this.agreed.catch(() => undefined);
    this.#wire = new Wire(stream, {
      onBytes: (bytes) => this.#session.receive(bytes),
      onEnd: (error) => {
        this.#lost = error;
        this.#session.lowerDown();
      },
    });
    this.closed = this.#untilClosed();
    this.closed.catch(() => undefined);
    this.#session.open();
  }

  get counters(): CarrierCounters {
    return { ...this.#counters };
  }

  get full(): boolean {
    return this.#wire.full;
  }

  send(packets: readonly Buffer[]): number {
    const sent = this.#wire.shut ? 0 : this.#session.send(packets);
    this.#counters.sent += sent;
    this.#counters.droppedOut += packets.length - sent;
    return sent;
  }

  ready(): Promise<void> {
    return this.#wire.ready();
  }

  onPackets(handler: (packets: readonly Buffer[]) => void): void {
    this.#handler = handler;
  }

  pause(): void {
    this.#wire.pause();
  }

  resume(): void {
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
    this.#counters.received += packets.length;
    if (this.#handler === undefined) this.#counters.droppedIn += packets.length;
    else this.#handler(packets);
  }

  async #untilClosed(): Promise<void> {
    try {
      await this.#telling(this.#session.closed);
    } finally {
      this.#wire.finish();
      this.#wire.resume();
    }
  }

  /** A stream that broke says more than the session that was cut off by it. */
  async #telling<Result>(outcome: Promise<Result>): Promise<Result> {
    try {
      return await outcome;
    } catch (error) {
      throw this.#lost === undefined ? error : toViasshError(this.#lost, 'CONNECTION_LOST');
    }
  }
}
