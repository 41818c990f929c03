import { FRAME_HEADER, FRAME_PACKET } from './frame-format.ts';

/** Frames are cut from pieces of this size, bytes. */
const SLAB = 1024 * 1024;

/** Puts packets into frames, many of them into one buffer. */
export class FrameWriter {
  #slab: Buffer = Buffer.alloc(0);
  #used = 0;

  /** The buffer is the caller's own. No packet may have 16 MiB. */
  encode(packets: readonly Buffer[]): Buffer {
    let length = 0;
    for (const packet of packets) length += FRAME_HEADER + packet.length;
    if (this.#slab.length - this.#used < length) {
      this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB, length));
      this.#used = 0;
    }
    const start = this.#used;
    let at = start;
    for (const packet of packets) {
      at = writeHeader(this.#slab, at, FRAME_PACKET, packet.length);
      this.#slab.set(packet, at);
      at += packet.length;
    }
    this.#used = at;
    return this.#slab.subarray(start, at);
  }
}

/** A frame without a body. */
export function emptyFrame(kind: number): Buffer {
  const frame = Buffer.alloc(FRAME_HEADER);
  writeHeader(frame, 0, kind, 0);
  return frame;
}

function writeHeader(to: Buffer, at: number, kind: number, length: number): number {
  to[at] = kind;
  to[at + 1] = length >>> 16;
  to[at + 2] = length >>> 8;
  to[at + 3] = length;
  return at + FRAME_HEADER;
}
