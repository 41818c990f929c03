import { below, randomBytesOf } from '../random.ts';

/** Bytes that mean something to one of the parsers, and so are worth putting in. */
const SPECIAL = [0x00, 0x01, 0x03, 0x11, 0x20, 0x21, 0x22, 0x45, 0x5d, 0x5e, 0x7d, 0x7e, 0x7f, 0x80, 0xc0, 0xff];

/** The same bytes with some faults in them: none to four, of the kinds that a line, a program or an enemy makes. */
export function mutate(random: () => number, bytes: Buffer): Buffer {
  let out = bytes;
  for (let faults = below(random, 5); faults > 0; faults -= 1) out = fault(random, out);
  return out;
}

function fault(random: () => number, bytes: Buffer): Buffer {
  const at = below(random, bytes.length + 1);
  const length = below(random, 1 + Math.min(16, bytes.length - at));
  switch (below(random, 6)) {
    case 0: {
      const flipped = Buffer.from(bytes);
      if (at < bytes.length) flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << below(random, 8)), at);
      return flipped;
    }
    case 1: {
      const set = Buffer.from(bytes);
      if (at < bytes.length) set.writeUInt8(special(random), at);
      return set;
    }
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    case 3:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from([special(random)]), bytes.subarray(at)]);
    case 4:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at)]);
    default:
      return Buffer.concat([bytes.subarray(0, at), randomBytesOf(random, length), bytes.subarray(at)]);
  }
}

/** A piece of the stream at a time, cut anywhere. */
export function* pieces(random: () => number, bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const end = below(random, 3) === 0 ? bytes.length : Math.min(bytes.length, at + 1 + below(random, 40));
    yield bytes.subarray(at, end);
    at = end;
  }
}

function special(random: () => number): number {
  return SPECIAL[below(random, SPECIAL.length)] ?? 0;
}
