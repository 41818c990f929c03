import type { Duplex } from 'node:stream';
import { type Clock, type ClockTimer, systemClock, toViasshError, type TunMode, ViasshError } from '@viassh/core';
import { ETHERNET_HEADER, FRAME_BYE, LARGEST_PACKET, VNET_HEADER } from './frame-format.ts';
import { HelloReader, writeHello } from './frame-hello.ts';
import { agree, type FrameAgreement, type FrameOffer } from './frame-offer.ts';
import type { PacketFilter } from '../address/packet-filter.ts';
import { FrameReader } from './frame-reader.ts';
import { emptyFrame, FrameWriter } from './frame-writer.ts';
import { linkFilter } from './link-filter.ts';
import type { CarrierCounters, PacketCarrier } from './packet-carrier.ts';
import { Wire } from './wire.ts';

/** What a carrier of our own frames is made with. */
export interface FrameCarrierOptions {
  readonly offer: FrameOffer;
  /** As `PppOptions.acceptFrom`: where packets may come from. Without addresses, and for Ethernet: from anywhere. */
  readonly acceptFrom?: readonly string[] | undefined;
  /**
   * Of the end that is called: sets up what both have agreed on, after the other end's hello and before our own, so that
   * the other end has agreed only with what stands. When it rejects, the carrier ends with that.
   */
  readonly prepare?: ((terms: FrameAgreement) => Promise<void>) | undefined;
  /** For the other end's hello; 0: none. Default: 30 s. */
  readonly helloTimeoutMs?: number | undefined;
  readonly clock?: Clock | undefined;
}

const HELLO_TIMEOUT_MS = 30_000;
/** For the other end's goodbye, when we have said ours. */
const BYE_TIMEOUT_MS = 2000;
/** Header of IPv4 and of Ethernet: nothing shorter is a packet. */
const SMALLEST = { 'point-to-point': 20, ethernet: 14 } as const;

/**
 * Packets between two ends that both are viassh, over any stream: no PPP, a header of four bytes, and the kernel's own
 * segmentation where both ends have it. The stream is the carrier's from now on. Text before the other end's hello is skipped.
 *
 * `agreed` rejects with FAR_LINK_MISSING when what answers is no viassh, PPP_SILENT, PPP_LOOPED, PPP_FAILED when the offers
 * contradict each other; `closed` with the same, and with CONNECTION_LOST when the stream ended without a goodbye.
 */
export function frameCarrier(stream: Duplex, options: FrameCarrierOptions): FrameCarrier {
  return new OwnFrameCarrier(stream, options);
}

/** `vnetHeader` is known when it is agreed. */
export interface FrameCarrier extends PacketCarrier {
  readonly agreed: Promise<FrameAgreement>;
}

class OwnFrameCarrier implements FrameCarrier {
  readonly mode: TunMode;
  readonly agreed: Promise<FrameAgreement>;
  readonly closed: Promise<void>;
  readonly #wire: Wire;
  readonly #offer: FrameOffer;
  readonly #prepare: FrameCarrierOptions['prepare'];
  readonly #clock: Clock;
  readonly #acceptFrom: readonly string[] | undefined;
  readonly #writer = new FrameWriter();
  readonly #agreement = Promise.withResolvers<FrameAgreement>();
  readonly #end = Promise.withResolvers<void>();
  readonly #counters = { sent: 0, received: 0, droppedOut: 0, droppedIn: 0 };
  #hello: HelloReader | undefined = new HelloReader();
  #reader: FrameReader | undefined;
  #terms: FrameAgreement | undefined;
  #accepts: PacketFilter | undefined;
  #smallest = 0;
  #largest = 0;
  #handler: ((packets: readonly Buffer[]) => void) | undefined;
  #paused = false;
  #closing = false;
  #ended = false;
  #timer: ClockTimer | undefined;

  constructor(stream: Duplex, options: FrameCarrierOptions) {
    const { offer, acceptFrom, prepare, helloTimeoutMs = HELLO_TIMEOUT_MS, clock = systemClock } = options;
    this.mode = offer.mode;
    this.#offer = offer;
    this.#acceptFrom = acceptFrom;
    this.#prepare = prepare;
    this.#clock = clock;
    this.agreed = this.#agreement.promise;
    this.agreed.catch(() => undefined);
    this.closed = this.#end.promise;
    this.closed.catch(() => undefined);
    this.#wire = new Wire(stream, {
      onBytes: (bytes) => this.#take(bytes),
      onEnd: (error) => this.#streamEnded(error),
    });
    if (helloTimeoutMs > 0) this.#timer = clock.setTimeout(() => this.#silent(), helloTimeoutMs);
    if (prepare === undefined) this.#wire.write(writeHello(offer));
  }

  get vnetHeader(): boolean {
    return this.#terms?.vnetHeader ?? false;
  }

  get counters(): CarrierCounters {
    return { ...this.#counters };
  }

  get full(): boolean {
    return this.#wire.full;
  }

  send(packets: readonly Buffer[]): number {
    const open = this.#terms !== undefined && !this.#closing && !this.#ended && !this.#wire.shut;
    const fitting = open ? this.#fitting(packets) : [];
    if (fitting.length > 0) this.#wire.write(this.#writer.encode(fitting));
    this.#counters.sent += fitting.length;
    this.#counters.droppedOut += packets.length - fitting.length;
    return fitting.length;
  }

  ready(): Promise<void> {
    return this.#wire.ready();
  }

  onPackets(handler: (packets: readonly Buffer[]) => void): void {
    this.#handler = handler;
    if (this.#terms !== undefined && !this.#paused) this.#wire.resume();
  }

  pause(): void {
    this.#paused = true;
    if (this.#terms !== undefined) this.#wire.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#handler !== undefined) this.#wire.resume();
  }

  async close(): Promise<void> {
    if (!this.#closing && !this.#ended) {
      this.#closing = true;
      this.#clock.clearTimeout(this.#timer);
      if (this.#terms === undefined) this.#finish();
      else {
        this.#timer = this.#clock.setTimeout(() => this.#finish(), BYE_TIMEOUT_MS);
        this.#wire.write(emptyFrame(FRAME_BYE));
        this.#wire.finish();
        this.#wire.resume(); // its goodbye stands behind packets that nobody wants any more
      }
    }
    await this.closed.catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    this.#wire.destroy();
  }

  #take(bytes: Buffer): void {
    if (this.#ended) return;
    if (this.#hello !== undefined) this.#takeHello(this.#hello, bytes);
    else this.#takeFrames(bytes);
  }

  #takeHello(hello: HelloReader, bytes: Buffer): void {
    const found = hello.read(bytes);
    if (found === undefined) return;
    if (found === 'none') return this.#finish(noViassh('answers something else', hello.noise));
    let terms: FrameAgreement;
    try {
      terms = agree(this.#offer, found.offer);
    } catch (error) {
      return this.#finish(toViasshError(error));
    }
    this.#clock.clearTimeout(this.#timer);
    this.#hello = undefined;
    const header = (terms.vnetHeader ? VNET_HEADER : 0) + (this.mode === 'ethernet' ? ETHERNET_HEADER : 0);
    this.#smallest = SMALLEST[this.mode] + (terms.vnetHeader ? VNET_HEADER : 0);
    this.#largest = header + (terms.vnetHeader ? LARGEST_PACKET : terms.mtu);
    this.#reader = new FrameReader(header + LARGEST_PACKET);
    this.#accepts = linkFilter(this.mode, terms.addresses, this.#acceptFrom, terms.vnetHeader ? VNET_HEADER : 0);
    this.#wire.pause();
    this.#wire.putBack(found.rest);
    if (this.#prepare === undefined) return this.#begin(terms);
    void this.#prepareAndBegin(terms, this.#prepare);
  }

  async #prepareAndBegin(terms: FrameAgreement, prepare: NonNullable<FrameCarrierOptions['prepare']>): Promise<void> {
    try {
      await prepare(terms);
    } catch (error) {
      return this.#finish(toViasshError(error));
    }
    if (this.#ended) return;
    this.#wire.write(writeHello(this.#offer));
    this.#begin(terms);
  }

  #begin(terms: FrameAgreement): void {
    this.#terms = terms;
    if (this.#handler !== undefined && !this.#paused) this.#wire.resume();
    this.#agreement.resolve(terms);
  }

  #takeFrames(bytes: Buffer): void {
    const batch = this.#reader?.read(bytes);
    if (batch === undefined) return;
    const sized = this.#fitting(batch.packets);
    const fitting = this.#accepts === undefined ? sized : sized.filter(this.#accepts);
    this.#counters.received += fitting.length;
    this.#counters.droppedIn += batch.packets.length - fitting.length;
    if (fitting.length > 0 && !this.#closing) this.#handler?.(fitting);
    if (batch.end === 'bye') this.#bye();
    else if (batch.end === 'broken')
      this.#finish(new ViasshError('PPP_FAILED', 'the other end of the link sends what is no frame'));
  }

  /** Those that can be packets, and are no larger than agreed. */
  #fitting(packets: readonly Buffer[]): readonly Buffer[] {
    const [least, most] = [this.#smallest, this.#largest];
    for (const packet of packets) {
      if (packet.length < least || packet.length > most)
        return packets.filter(({ length }) => length >= least && length <= most);
    }
    return packets;
  }

  #bye(): void {
    if (!this.#closing) this.#wire.write(emptyFrame(FRAME_BYE));
    this.#finish();
  }

  #silent(): void {
    const noise = this.#hello?.noise ?? '';
    this.#finish(
      new ViasshError('PPP_SILENT', `the other end of the link does not answer as viassh does${said(noise)}`, {
        hint: 'see by hand what `viassh ppp --serve` says on the server',
      }),
    );
  }

  #streamEnded(error: Error | undefined): void {
    if (error !== undefined) return this.#finish(toViasshError(error, 'CONNECTION_LOST'));
    if (this.#closing) return this.#finish();
    if (this.#hello !== undefined) return this.#finish(noViassh('ended', this.#hello.noise));
    this.#finish(new ViasshError('CONNECTION_LOST', 'the other end of the link is gone, without a goodbye'));
  }

  /** Without an error in good order. */
  #finish(error?: ViasshError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#clock.clearTimeout(this.#timer);
    this.#agreement.reject(error ?? new ViasshError('PPP_FAILED', 'the link was closed before it was agreed on'));
    if (error === undefined) this.#end.resolve();
    else this.#end.reject(error);
    this.#wire.finish();
    this.#wire.resume(); // so that the stream comes to its end
  }
}

function noViassh(what: string, noise: string): ViasshError {
  return new ViasshError(
    'FAR_LINK_MISSING',
    `the program that was to be the other end of the link ${what}${said(noise)}`,
    {
      hint: 'viassh must be there too, as a command of that user; --far pppd, slirp or tun need none',
    },
  );
}

function said(noise: string): string {
  const text = noise.trim();
  return text === '' ? '' : `: ${text}`;
}
