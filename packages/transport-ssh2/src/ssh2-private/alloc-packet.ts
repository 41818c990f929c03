import { randomFillSync } from 'node:crypto';

/** The part of ssh2's Protocol that packs and sends. */
export interface SendingProtocol {
  /** A new one with each key exchange. */
  readonly _cipher: object;
  readonly _packetRW: {
    readonly write: {
      readonly allocStart: number;
      alloc(size: number): Buffer;
      finalize(packet: Buffer): Buffer;
    };
  };
}

/** What a cipher makes of payloads of one length. Numbers alone: a part of a packet would hold the memory around it, for good. */
interface Layout {
  /** Bytes, with what stands behind the padding. */
  readonly length: number;
  /** What stands first: the packet's own length, RFC 4253 §6. */
  readonly packetLength: number;
  readonly padding: number;
}

const HEAD = 5;
/** Longer payloads are few for their bytes, and of many lengths. */
const LONGEST_KNOWN = 4 * 1024;
const layouts = new WeakMap<object, Map<number, Layout>>();
/** Random bytes, each used once. */
const pool = Buffer.allocUnsafeSlow(16 * 1024);
let poolUsed = pool.length;

/**
 * A packet as ssh2's `alloc` makes it for a payload of `size` bytes. That asks the system's generator
 * for the padding of each packet, which for small ones costs more than to encrypt them: here it is asked for many at once.
 */
export function allocPacket({ _cipher: cipher, _packetRW: { write } }: SendingProtocol, size: number): Buffer {
  // Compressed, and while keys are exchanged anew: a bare payload, of which ssh2 makes a packet when it goes.
  if (size > LONGEST_KNOWN || write.allocStart !== HEAD) return write.alloc(size);
  let known = layouts.get(cipher);
  if (known === undefined) layouts.set(cipher, (known = new Map()));
  const layout = known.get(size);
  if (layout === undefined) {
    const packet = write.alloc(size);
    known.set(size, {
      length: packet.length,
      packetLength: packet.readUInt32BE(0),
      padding: packet.readUInt8(HEAD - 1),
    });
    return packet;
  }
  const packet = Buffer.allocUnsafe(layout.length);
  packet.writeUInt32BE(layout.packetLength, 0);
  packet[HEAD - 1] = layout.padding;
  if (poolUsed + layout.padding > pool.length) {
    randomFillSync(pool);
    poolUsed = 0;
  }
  pool.copy(packet, HEAD + size, poolUsed, poolUsed + layout.padding);
  poolUsed += layout.padding;
  return packet;
}
