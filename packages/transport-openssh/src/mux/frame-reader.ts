const LENGTH_BYTES = 4;

/**
 * Cuts a byte stream into frames of `uint32 length | body`. Bodies are slices of what came in; only a frame that
 * crosses the edge of two chunks is copied.
 */
export class FrameReader {
  readonly #onFrame: (body: Buffer) => void;
  readonly #longest: number;
  #partial: Buffer | undefined;
  #filled = 0;
  #lengthBytes: Buffer = Buffer.alloc(0);

  /** @param longest bytes of a body beyond which the stream is taken for broken */
  constructor(longest: number, onFrame: (body: Buffer) => void) {
    this.#longest = longest;
    this.#onFrame = onFrame;
  }

  /** @throws RangeError when a length is beyond `longest` */
  push(chunk: Buffer): void {
    let offset = 0;
    while (offset < chunk.length)
      offset =
        this.#partial === undefined ? this.#startFrame(chunk, offset) : this.#fillFrame(chunk, offset, this.#partial);
  }

  #startFrame(chunk: Buffer, offset: number): number {
    let body = offset;
    let length: number;
    if (this.#lengthBytes.length > 0 || chunk.length - offset < LENGTH_BYTES) {
      const taken = Math.min(LENGTH_BYTES - this.#lengthBytes.length, chunk.length - offset);
      this.#lengthBytes = Buffer.concat([this.#lengthBytes, chunk.subarray(offset, offset + taken)]);
      if (this.#lengthBytes.length < LENGTH_BYTES) return chunk.length;
      length = this.#lengthBytes.readUInt32BE(0);
      this.#lengthBytes = Buffer.alloc(0);
      body = offset + taken;
    } else {
      length = chunk.readUInt32BE(offset);
      body = offset + LENGTH_BYTES;
    }
    if (length > this.#longest) throw new RangeError(`a frame of ${length} bytes`);
    if (chunk.length - body >= length) {
      this.#onFrame(chunk.subarray(body, body + length));
      return body + length;
    }
    this.#partial = Buffer.allocUnsafe(length);
    this.#filled = 0;
    return body;
  }

  #fillFrame(chunk: Buffer, offset: number, partial: Buffer): number {
    const taken = chunk.copy(partial, this.#filled, offset, offset + partial.length - this.#filled);
    this.#filled += taken;
    if (this.#filled === partial.length) {
      this.#partial = undefined;
      this.#onFrame(partial);
    }
    return offset + taken;
  }
}
