/** What an X server sends once a client is in (X protocol §1), to a client that is little-endian. `sequence`: the low 16 bits. */
export type XMessage =
  | { readonly kind: 'error'; readonly sequence: number; readonly code: number }
  | { readonly kind: 'reply'; readonly sequence: number; readonly bytes: Buffer }
  | { readonly kind: 'event'; readonly code: number; readonly bytes: Buffer };

const SIZE = 32;
const GENERIC_EVENT = 35;
/** No answer that we ask for comes near it. */
const LONGEST = 64 * 1024;

/** Takes the messages out of a stream. */
export class XMessages {
  #rest: Buffer = Buffer.alloc(0);

  /** The messages that are whole now. @throws Error for one that is longer than any that we ask for */
  take(chunk: Buffer): readonly XMessage[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const messages: XMessage[] = [];
    let at = 0;
    while (bytes.length - at >= SIZE) {
      const length = lengthOf(bytes, at);
      if (length > LONGEST) throw new Error(`a message of ${length} bytes`);
      if (bytes.length - at < length) break;
      messages.push(read(bytes.subarray(at, at + length)));
      at += length;
    }
    this.#rest = bytes.subarray(at);
    return messages;
  }
}

function lengthOf(bytes: Buffer, at: number): number {
  const code = bytes[at] ?? 0;
  return code === 1 || (code & 0x7f) === GENERIC_EVENT ? SIZE + 4 * bytes.readUInt32LE(at + 4) : SIZE;
}

function read(bytes: Buffer): XMessage {
  const code = bytes[0] ?? 0;
  const sequence = bytes.readUInt16LE(2);
  if (code === 0) return { kind: 'error', sequence, code: bytes[1] ?? 0 };
  if (code === 1) return { kind: 'reply', sequence, bytes };
  return { kind: 'event', code: code & 0x7f, bytes }; // the high bit: somebody else sent it
}
