import { type ClientSetup, padded, writeWord } from './client-setup.ts';

/** What an X server says to the first packet of a client (X protocol §8). */
export type ServerAnswer =
  | { readonly kind: 'more' }
  /** `screens`: how many it has. `length`: bytes of the answer. */
  | { readonly kind: 'success'; readonly screens: number; readonly length: number }
  | { readonly kind: 'failed'; readonly reason: string };

const HEADER = 8;
/** In a success: the fixed part, before vendor, formats and screens. */
const FIXED = 40;

/** Reads the answer as far as it decides: a success to its end, or the words of a refusal. */
export function readServerAnswer(bytes: Buffer, littleEndian: boolean): ServerAnswer {
  if (bytes.length < HEADER) return { kind: 'more' };
  const [status, reasonLength = 0] = bytes;
  const rest = 4 * (littleEndian ? bytes.readUInt16LE(6) : bytes.readUInt16BE(6));
  const length = HEADER + rest;
  if (status === 0) return words(bytes, Math.min(reasonLength, rest));
  if (status === 2) return words(bytes, Math.min(rest, 255)); // a further proof is asked for; nobody here has one
  if (status !== 1 || length < FIXED) return { kind: 'failed', reason: 'its answer is not that of an X server' };
  if (bytes.length < length) return { kind: 'more' };
  return { kind: 'success', screens: bytes[28] ?? 0, length };
}

/** A refusal in the words of an X server, so that the client can say them. At the most 255 bytes of `reason` go. */
export function writeRefusal({ littleEndian }: ClientSetup, reason: string): Buffer {
  const text = Buffer.from(reason, 'latin1').subarray(0, 255);
  const packet = Buffer.alloc(HEADER + padded(text.length));
  packet[1] = text.length;
  writeWord(packet, 11, 2, littleEndian);
  writeWord(packet, padded(text.length) / 4, 6, littleEndian);
  text.copy(packet, HEADER);
  return packet;
}

function words(bytes: Buffer, length: number): ServerAnswer {
  if (bytes.length < HEADER + length) return { kind: 'more' };
  const reason = bytes
    .toString('latin1', HEADER, HEADER + length)
    .replace(/\0+$/, '')
    .trim();
  return { kind: 'failed', reason: reason === '' ? 'it gives no reason' : reason };
}
