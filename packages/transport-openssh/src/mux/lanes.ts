import type { MuxProxy } from './open-mux-proxy.ts';
import { PacketLink } from './packet-link.ts';

/** More make no difference that can be measured. */
const MOST_LANES = 8;
/** So many channels share the first lane before there are others: who opens few pays for none. */
const FEW_CHANNELS = 2;

/** One mux proxy of a master, and how many channels it has. */
export interface Lane {
  readonly link: PacketLink;
  channels: number;
}

/** Opens one more mux proxy on the same master. */
export type OpenLane = () => Promise<MuxProxy>;

/**
 * The mux proxies that carry the channels of one master. It takes one message from each in a turn of its loop, sends on what
 * it took in one piece, and keeps what we have not read yet in one buffer for each, at a price that grows with the square:
 * many busy channels pass several of them better than one. There is one until channels are many; then the others come, and
 * stay for as long as the master does, which a proxy that goes away can take down. One that does not come is done without.
 */
export class Lanes {
  readonly first: Lane;
  /** Resolves when one of them has closed, with the reason if it is known. The master serves none of them well after that. */
  readonly broken: Promise<Error | undefined>;
  readonly #lanes: Lane[] = [];
  readonly #onPacket: (type: number, body: Buffer) => void;
  readonly #open: OpenLane | undefined;
  readonly #breaking = Promise.withResolvers<Error | undefined>();
  readonly #ended = Promise.withResolvers<void>();
  readonly #closed: Promise<void>[] = [];
  #isOver = false;
  #arrivals: Promise<unknown> | undefined;
  #growing: Promise<unknown> | undefined;

  /** @param open absent: the first lane is the only one */
  constructor(first: MuxProxy, open: OpenLane | undefined, onPacket: (type: number, body: Buffer) => void) {
    this.#open = open;
    this.#onPacket = onPacket;
    this.broken = this.#breaking.promise;
    this.first = this.#add(first);
  }

  /** What the next channel waits for, so that those of a burst do not all find one lane; undefined: nothing. */
  arrival(): Promise<unknown> | undefined {
    const isTime = this.#arrivals === undefined && !this.#isOver && this.first.channels >= FEW_CHANNELS;
    if (isTime && this.#open !== undefined) this.#grow(this.#open);
    return this.#growing;
  }

  /** The one with the fewest channels. */
  emptiest(): Lane {
    return this.#lanes.reduce((least, lane) => (lane.channels < least.channels ? lane : least));
  }

  /** Nothing more goes out, and none is added. */
  end(): void {
    this.#isOver = true;
    this.#ended.resolve();
    for (const { link } of this.#lanes) link.socket.end();
  }

  /** Resolves when all have closed, and none is on its way. */
  async closed(): Promise<void> {
    await this.#arrivals;
    await Promise.all(this.#closed);
  }

  #grow(open: OpenLane): void {
    this.#arrivals = Promise.all(Array.from({ length: MOST_LANES - 1 }, async () => await this.#addOneMore(open)));
    this.#growing = Promise.race([this.#arrivals, this.#ended.promise]).then(() => (this.#growing = undefined));
  }

  /** Never rejects. */
  async #addOneMore(open: OpenLane): Promise<void> {
    const proxy = await open().catch(() => undefined);
    if (proxy === undefined) return;
    const { link } = this.#add(proxy);
    if (this.#isOver) link.socket.destroy();
  }

  #add(proxy: MuxProxy): Lane {
    const lane = { link: new PacketLink(proxy, this.#onPacket), channels: 0 };
    let failure: Error | undefined;
    proxy.socket.on('error', (error) => (failure ??= error));
    const closed = new Promise<void>((resolve) => proxy.socket.once('close', () => resolve()));
    this.#closed.push(closed.then(() => this.#breaking.resolve(failure)));
    this.#lanes.push(lane);
    return lane;
  }
}
