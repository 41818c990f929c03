import { timingSafeEqual } from 'node:crypto';
import { COOKIE_PROTOCOL } from '../authority/find-cookie.ts';

/** X protocol §8, "Connection Setup": what every client says first. */
export interface ClientSetup {
  readonly littleEndian: boolean;
  /** Of the X protocol: 11.0. */
  readonly major: number;
  readonly minor: number;
}

/** What the first bytes of a client are. */
export type SetupReading =
  | { readonly kind: 'more' }
  /** `length`: bytes of the packet; what follows is the client's next. */
  | { readonly kind: 'setup'; readonly setup: ClientSetup; readonly length: number }
  /** `setup` where the client can be told, in its own byte order. */
  | { readonly kind: 'refused'; readonly setup?: ClientSetup | undefined; readonly reason: string };

const BIG_ENDIAN = 0x42; // "B"
const LITTLE_ENDIAN = 0x6c; // "l"
const HEADER = 12;
const protocolName = Buffer.from(COOKIE_PROTOCOL);

/**
 * Reads the first packet of a client and holds its cookie against `cookie`, in constant time. Never needs more than the 12
 * bytes of the header to refuse what is not of our lengths.
 */
export function readClientSetup(bytes: Buffer, cookie: Buffer): SetupReading {
  const [order] = bytes;
  if (order === undefined) return { kind: 'more' };
  if (order !== BIG_ENDIAN && order !== LITTLE_ENDIAN) return { kind: 'refused', reason: 'this is not X11' };
  if (bytes.length < HEADER) return { kind: 'more' };
  const littleEndian = order === LITTLE_ENDIAN;
  const word = (at: number): number => (littleEndian ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
  const setup: ClientSetup = { littleEndian, major: word(2), minor: word(4) };
  const [nameLength, dataLength] = [word(6), word(8)];
  if (nameLength === 0) return { kind: 'refused', setup, reason: 'it has no cookie' };
  if (nameLength !== protocolName.length)
    return { kind: 'refused', setup, reason: `its proof is not ${COOKIE_PROTOCOL}` };
  if (dataLength !== cookie.length) return { kind: 'refused', setup, reason: 'its cookie is wrong' };
  const dataAt = HEADER + padded(nameLength);
  const length = dataAt + padded(dataLength);
  if (bytes.length < length) return { kind: 'more' };
  if (!bytes.subarray(HEADER, HEADER + nameLength).equals(protocolName))
    return { kind: 'refused', setup, reason: `its proof is not ${COOKIE_PROTOCOL}` };
  if (!timingSafeEqual(bytes.subarray(dataAt, dataAt + dataLength), cookie))
    return { kind: 'refused', setup, reason: 'its cookie is wrong' };
  return { kind: 'setup', setup, length };
}

/** The first packet of a client, with this cookie; undefined: with no proof at all. */
export function writeClientSetup({ littleEndian, major, minor }: ClientSetup, cookie: Buffer | undefined): Buffer {
  const name = cookie === undefined ? Buffer.alloc(0) : protocolName;
  const data = cookie ?? Buffer.alloc(0);
  const packet = Buffer.alloc(HEADER + padded(name.length) + padded(data.length));
  packet[0] = littleEndian ? LITTLE_ENDIAN : BIG_ENDIAN;
  for (const [index, value] of [major, minor, name.length, data.length].entries())
    writeWord(packet, value, 2 + 2 * index, littleEndian);
  name.copy(packet, HEADER);
  data.copy(packet, HEADER + padded(name.length));
  return packet;
}

/** Bytes with what fills them up to the next multiple of four. */
export function padded(length: number): number {
  return (length + 3) & ~3;
}

export function writeWord(bytes: Buffer, value: number, at: number, littleEndian: boolean): void {
  if (littleEndian) bytes.writeUInt16LE(value, at);
  else bytes.writeUInt16BE(value, at);
}
