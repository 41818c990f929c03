/** SSH wire types (RFC 4251 §5): what the mux protocol and the messages inside it are written in. */

/** One field to write: a number is a uint32, a boolean a byte, a string or buffer a `string`. */
export type Field = number | boolean | string | Buffer;

/** The fields one after another. */
export function encode(...fields: readonly Field[]): Buffer {
  return Buffer.concat(fields.map(encodeField));
}

function encodeField(field: Field): Buffer {
  if (typeof field === 'boolean') return Buffer.from([field ? 1 : 0]);
  if (typeof field === 'number') return uint32(field);
  const bytes = typeof field === 'string' ? Buffer.from(field, 'utf8') : field;
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
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
