import { MAGIC } from './frame-format.ts';
import { type FrameOffer, parseOffer } from './frame-offer.ts';

/** The one there is. */
const VERSION = 1;
/** What a shell may say before the hello, bytes. */
const MOST_NOISE = 64 * 1024;
/** JSON of a hello, bytes. */
const LONGEST_HELLO = 16 * 1024;
/** Of what was said instead, this much is kept for a message, bytes. */
const MOST_TOLD = 4096;

/** The bytes that begin a link. */
export function writeHello(offer: FrameOffer): Buffer {
  const json = Buffer.from(JSON.stringify({ version: VERSION, ...offer }));
  const length = Buffer.alloc(2);
  length.writeUInt16BE(json.length);
  return Buffer.concat([MAGIC, length, json]);
}

/** What {@link HelloReader.read} has found. */
export type HelloResult = { readonly offer: FrameOffer; readonly rest: Buffer } | 'none' | undefined;

/** Finds the other end's hello behind whatever its shell says first. Never throws, and keeps 82 KiB at the most. */
export class HelloReader {
  #kept: Buffer = Buffer.alloc(1024);
  #length = 0;
  /** Where the search goes on; no magic begins before it. */
  #searched = 0;
  #magicAt = -1;

  /** What was said before the hello, or instead of it: its beginning, unsanitised. */
  get noise(): string {
    const end = this.#magicAt === -1 ? this.#length : this.#magicAt;
    return this.#kept.toString('utf8', 0, Math.min(end, MOST_TOLD));
  }

  /** The next bytes. Gives the offer and what stood behind it, 'none' when there will be no hello, undefined when it has yet to come. */
  read(bytes: Buffer): HelloResult {
    const room = MOST_NOISE + MAGIC.length + 2 + LONGEST_HELLO - this.#length;
    const taken = Math.min(bytes.length, room);
    this.#keep(bytes, taken);
    if (this.#magicAt === -1) {
      this.#magicAt = this.#kept.subarray(0, this.#length).indexOf(MAGIC, this.#searched);
      this.#searched = Math.max(0, this.#length - MAGIC.length + 1);
    }
    if (this.#magicAt === -1) return this.#length > MOST_NOISE ? 'none' : undefined;
    if (this.#magicAt > MOST_NOISE) return 'none';
    const start = this.#magicAt + MAGIC.length + 2;
    if (this.#length < start) return undefined;
    const length = this.#kept.readUInt16BE(start - 2);
    if (length > LONGEST_HELLO) return 'none';
    if (this.#length < start + length) return undefined;
    const offer = parseOffer(this.#kept.toString('utf8', start, start + length));
    if (offer === undefined) return 'none';
    const behind = Buffer.from(this.#kept.subarray(start + length, this.#length));
    return { offer, rest: Buffer.concat([behind, bytes.subarray(taken)]) };
  }

  #keep(bytes: Buffer, length: number): void {
    const needed = this.#length + length;
    if (needed > this.#kept.length) {
      const larger = Buffer.alloc(Math.max(needed, 2 * this.#kept.length));
      this.#kept.copy(larger, 0, 0, this.#length);
      this.#kept = larger;
    }
    bytes.copy(this.#kept, this.#length, 0, length);
    this.#length = needed;
  }
}
