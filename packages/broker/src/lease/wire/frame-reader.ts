import { ViasshError } from '@viassh/core';
import { HEAD_LENGTH, isStreamed, MOST_CONTROL, MOST_DATA } from './frame.ts';

/** A frame, or a piece of one whose kind is streamed. */
export type FrameSink = (kind: number, id: number, body: Buffer) => void;

/** Takes frames out of a stream, however it is cut. Holds a head and one body of at the most {@link MOST_CONTROL} bytes. */
export class FrameReader {
  readonly #sink: FrameSink;
  readonly #head = Buffer.alloc(HEAD_LENGTH);
  #headLength = 0;
  /** Bytes of the body that have yet to come; of a head that is not complete, undefined. */
  #missing: number | undefined;
  #parts: Buffer[] = [];

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** In the middle of a frame? */
  get isWithin(): boolean {
    return this.#headLength > 0;
  }

  /** @throws ViasshError PROTOCOL_ERROR for a frame that is too long, and what the sink throws */
  read(chunk: Buffer): void {
    for (let offset = 0; offset < chunk.length; ) {
      offset += this.#missing === undefined ? this.#readHead(chunk, offset) : this.#readBody(chunk, offset);
    }
  }

  #readHead(chunk: Buffer, offset: number): number {
    const taken = chunk.copy(this.#head, this.#headLength, offset, offset + HEAD_LENGTH - this.#headLength);
    this.#headLength += taken;
    if (this.#headLength < HEAD_LENGTH) return taken;
    const length = this.#head.readUInt32BE(0);
    if (length > (isStreamed(this.#kind) ? MOST_DATA : MOST_CONTROL))
      throw new ViasshError('PROTOCOL_ERROR', `a frame of ${length} bytes is too long for a lease`);
    this.#missing = length;
    if (length === 0) this.#finish(Buffer.alloc(0));
    return taken;
  }

  #readBody(chunk: Buffer, offset: number): number {
    const missing = this.#missing ?? 0;
    const part = chunk.subarray(offset, offset + missing);
    if (part.length === missing) {
      this.#finish(this.#parts.length === 0 ? part : Buffer.concat([...this.#parts, part]));
      return part.length;
    }
    this.#missing = missing - part.length;
    if (isStreamed(this.#kind)) this.#sink(this.#kind, this.#id, part);
    else this.#parts.push(part);
    return part.length;
  }

  #finish(body: Buffer): void {
    const [kind, id] = [this.#kind, this.#id];
    this.#headLength = 0;
    this.#missing = undefined;
    this.#parts = [];
    this.#sink(kind, id, body);
  }

  get #kind(): number {
    return this.#head[4] ?? 0;
  }

  get #id(): number {
    return this.#head.readUInt32BE(5);
  }
}
