/** The FCS before the first byte (RFC 1662 §C.2). */
export const FCS_START = 0xffff;
/** What the FCS of a frame comes to when its own two bytes are taken in, and it is a good one. */
export const FCS_GOOD = 0xf0b8;

const POLYNOMIAL = 0x8408;

/** Tables for eight bytes at a time: `[i]` is what a byte does to the FCS when `i` bytes come after it. */
const tables: readonly Uint16Array[] = makeTables(8);
const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
  Uint16Array,
  Uint16Array,
  Uint16Array,
  Uint16Array,
  Uint16Array,
  Uint16Array,
  Uint16Array,
  Uint16Array,
];

/** The FCS of `bytes` from `start` to before `end`, begun with `fcs`. Not inverted: a frame carries its complement, low byte first. */
export function fcs16(bytes: Uint8Array, start: number, end: number, fcs: number = FCS_START): number {
  let sum = fcs;
  let at = start;
  for (const last = end - 8; at <= last; at += 8) {
    sum ^= bytes[at]! | (bytes[at + 1]! << 8);
    sum =
      t7[sum & 0xff]! ^
      t6[sum >>> 8]! ^
      t5[bytes[at + 2]!]! ^
      t4[bytes[at + 3]!]! ^
      t3[bytes[at + 4]!]! ^
      t2[bytes[at + 5]!]! ^
      t1[bytes[at + 6]!]! ^
      t0[bytes[at + 7]!]!;
  }
  for (; at < end; at += 1) sum = (sum >>> 8) ^ t0[(sum ^ bytes[at]!) & 0xff]!;
  return sum;
}

function makeTables(count: number): Uint16Array[] {
  const first = Uint16Array.from({ length: 256 }, (_, byte) => {
    let sum = byte;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ POLYNOMIAL : sum >>> 1;
    return sum;
  });
  const all = [first];
  for (let index = 1; index < count; index += 1) {
    all.push(all[index - 1]!.map((sum) => (sum >>> 8) ^ first[sum & 0xff]!));
  }
  return all;
}
