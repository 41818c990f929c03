/** SSH wire types (RFC 4251 §5): what the mux protocol and the messages inside it are written in. */

/** One field to write: a number is a uint32, a boolean a byte, a string or buffer a `string`. */
export type Field = number | boolean | string | Buffer;

/** The fields one after another. */
export function encode(...fields: readonly Field[]): Buffer {
  return encodeBehind(0, fields);
}

/** The fields behind `room` bytes that the caller fills: one allocation for both. */
export function encodeBehind(room: number, fields: readonly Field[]): Buffer {
  let length = room;
  for (const field of fields) length += lengthOf(field);
  const bytes = Buffer.allocUnsafe(length);
  let at = room;
  for (const field of fields) at = write(bytes, at, field);
  return bytes;
}

function lengthOf(field: Field): number {
  if (typeof field === 'boolean') return 1;
  if (typeof field === 'number') return 4;
  return 4 + (typeof field === 'string' ? Buffer.byteLength(field, 'utf8') : field.length);
}

function write(bytes: Buffer, at: number, field: Field): number {
  if (typeof field === 'boolean') return bytes.writeUInt8(field ? 1 : 0, at);
  if (typeof field === 'number') return bytes.writeUInt32BE(field, at);
  const body = at + 4;
  const length = typeof field === 'string' ? bytes.write(field, body, 'utf8') : field.copy(bytes, body);
  bytes.writeUInt32BE(length, at);
  return body + length;
}

/** Reads fields off a message, front to back. @throws RangeError when it is shorter than it says */
export class WireReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer, start = 0) {
    this.#bytes = bytes;
    this.#at = start;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  uint32(): number {
    const value = this.#bytes.readUInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  boolean(): boolean {
    const value = this.#bytes.readUInt8(this.#at) !== 0;
    this.#at += 1;
    return value;
  }

  /** A slice, not a copy. */
  bytes(): Buffer {
    const length = this.uint32();
    if (length > this.left) throw new RangeError('a string runs over the end of its message');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  text(): string {
    return this.bytes().toString('utf8');
  }
}
