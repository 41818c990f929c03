/** The FCS before the first byte (RFC 1662 §C.2). */
export const FCS_START = 0xffff;
/** What the FCS of a frame comes to when its own two bytes are taken in, and it is a good one. */
export const FCS_GOOD = 0xf0b8;

const POLYNOMIAL = 0x8408;

/** How many bytes are taken in at a time. */
const SLICE = 8;
/** `[256 * n + byte]` is what a byte does to the FCS when `n` bytes come after it in its slice. */
const table: Uint16Array = makeTable();

/** The FCS of `bytes` from `start` to before `end`, begun with `fcs`. Not inverted: a frame carries its complement, low byte first. */
export function fcs16(bytes: Uint8Array, start: number, end: number, fcs: number = FCS_START): number {
  let sum = fcs;
  let at = start;
  for (const last = end - SLICE; at <= last; at += SLICE) {
    sum ^= bytes[at]! | (bytes[at + 1]! << 8);
    sum =
      table[0x700 | (sum & 0xff)]! ^
      table[0x600 | (sum >>> 8)]! ^
      table[0x500 | bytes[at + 2]!]! ^
      table[0x400 | bytes[at + 3]!]! ^
      table[0x300 | bytes[at + 4]!]! ^
      table[0x200 | bytes[at + 5]!]! ^
      table[0x100 | bytes[at + 6]!]! ^
      table[bytes[at + 7]!]!;
  }
  for (; at < end; at += 1) sum = (sum >>> 8) ^ table[(sum ^ bytes[at]!) & 0xff]!;
  return sum;
}

function makeTable(): Uint16Array {
  const made = new Uint16Array(SLICE * 256);
  for (let byte = 0; byte < 256; byte += 1) {
    let sum = byte;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ POLYNOMIAL : sum >>> 1;
    made[byte] = sum;
  }
  for (let at = 256; at < made.length; at += 1) {
    const before = made[at - 256]!;
    made[at] = (before >>> 8) ^ made[before & 0xff]!;
  }
  return made;
}
