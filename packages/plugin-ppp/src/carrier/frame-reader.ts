import { FRAME_BYE, FRAME_HEADER, FRAME_PACKET } from './frame-format.ts';

/** What a piece of the stream held. */
export interface FrameBatch {
  /** Valid until the next call. */
  readonly packets: readonly Buffer[];
  /** How it ended: with the far end's goodbye, or with what can be no frame of ours. */
  readonly end?: 'bye' | 'broken' | undefined;
}

/** Takes frames out of a stream. Never throws; holds two packets of the largest size at the most. */
export class FrameReader {
  readonly #largest: number;
  readonly #header: Buffer = Buffer.alloc(FRAME_HEADER);
  #headerLength = 0;
  #kind = FRAME_PACKET;
  #length = 0;
  /** A body that is cut by the end of a piece. */
  #body: Buffer = Buffer.alloc(0);
  #bodyLength = 0;
  /** The other one: a packet that stood in `#body` is still the caller's while the next begins. */
  #spare: Buffer = Buffer.alloc(0);

  /** `largest` body, bytes: a longer one breaks the stream. */
  constructor(largest: number) {
    this.#largest = largest;
  }

  read(bytes: Buffer): FrameBatch {
    const packets: Buffer[] = [];
    const length = bytes.length;
    let at = 0;
    while (at < length) {
      if (this.#headerLength < FRAME_HEADER) {
        while (this.#headerLength < FRAME_HEADER && at < length) this.#header[this.#headerLength++] = bytes[at++]!;
        if (this.#headerLength < FRAME_HEADER) break;
        this.#kind = this.#header[0]!;
        this.#length = this.#header.readUIntBE(1, 3);
        if (this.#length > this.#largest) return { packets, end: 'broken' };
      }
      const missing = this.#length - this.#bodyLength;
      const taken = Math.min(missing, length - at);
      let packet: Buffer | undefined;
      if (this.#bodyLength === 0 && taken === missing) packet = bytes.subarray(at, at + taken);
      else {
        this.#keep(bytes, at, taken);
        if (taken === missing) packet = this.#finishBody();
      }
      at += taken;
      if (packet === undefined) break;
      this.#headerLength = 0;
      if (this.#kind === FRAME_BYE) return { packets, end: 'bye' };
      if (this.#kind === FRAME_PACKET) packets.push(packet);
    }
    return { packets };
  }

  #keep(bytes: Buffer, at: number, length: number): void {
    if (this.#body.length < this.#length) this.#body = Buffer.allocUnsafeSlow(this.#largest);
    bytes.copy(this.#body, this.#bodyLength, at, at + length);
    this.#bodyLength += length;
  }

  #finishBody(): Buffer {
    const body = this.#body;
    this.#body = this.#spare;
    this.#spare = body;
    this.#bodyLength = 0;
    return body.subarray(0, this.#length);
  }
}
