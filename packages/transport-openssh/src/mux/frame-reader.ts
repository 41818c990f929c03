const LENGTH_BYTES = 4;
/** One allocation takes many reads; a frame is copied only where it crosses the edge of two of them. */
const SLAB_BYTES = 512 * 1024;
/** A slab with less room than this is left: short reads cost more than the room is worth. */
const LEAST_ROOM = 64 * 1024;

/**
 * Cuts a byte stream into frames of `uint32 length | body`. It owns the memory that is read into: what comes stands one
 * behind the other in it, so a body is a slice whatever the reads were, and nothing is written to it a second time.
 */
export class FrameReader {
  readonly #onFrame: (body: Buffer) => void;
  readonly #longest: number;
  #slab: Buffer = Buffer.alloc(0);
  /** The frame that is not whole yet stands from here … */
  #start = 0;
  /** … to here. */
  #end = 0;

  /** @param longest bytes of a body beyond which the stream is taken for broken */
  constructor(longest: number, onFrame: (body: Buffer) => void) {
    this.#longest = longest;
    this.#onFrame = onFrame;
  }

  /** Where the next bytes belong. */
  room(): Buffer {
    if (this.#slab.length - this.#end < LEAST_ROOM) this.#nextSlab();
    return this.#slab.subarray(this.#end);
  }

  /** So many bytes were read into {@link room}. @throws RangeError when a length is beyond `longest` */
  filled(bytes: number): void {
    this.#end += bytes;
    while (this.#end - this.#start >= LENGTH_BYTES) {
      const length = this.#slab.readUInt32BE(this.#start);
      if (length > this.#longest) throw new RangeError(`a frame of ${length} bytes`);
      const body = this.#start + LENGTH_BYTES;
      if (this.#end - body < length) return;
      this.#start = body + length;
      this.#onFrame(this.#slab.subarray(body, body + length));
    }
  }

  /** Bytes that were read into memory of somebody else: copied. @throws RangeError as {@link filled} */
  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      const taken = chunk.copy(this.room(), 0, at);
      at += taken;
      this.filled(taken);
    }
  }

  /** Takes along what stands there of a frame, and has room for the whole of it. */
  #nextSlab(): void {
    const partial = this.#slab.subarray(this.#start, this.#end);
    const length = partial.length < LENGTH_BYTES ? 0 : partial.readUInt32BE(0);
    this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, LENGTH_BYTES + length + LEAST_ROOM));
    partial.copy(this.#slab);
    this.#start = 0;
    this.#end = partial.length;
  }
}
