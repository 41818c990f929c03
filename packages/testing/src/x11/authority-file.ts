/** Whose display a cookie is for: anybody's, or one host's local ones. */
export type AuthorityFamily = 'wild' | 'local';

const families: Readonly<Record<AuthorityFamily, number>> = { wild: 0xffff, local: 0x100 }; // Xauth.h

/** One entry of an Xauthority file. */
export interface AuthorityEntry {
  readonly family: AuthorityFamily;
  /** The host's name; empty for `wild`. */
  readonly address: string;
  /** The display's number in digits; empty for all. */
  readonly number: string;
  /** 32 hexadecimal digits. */
  readonly cookie: string;
}

/** The bytes of an Xauthority file with MIT-MAGIC-COOKIE-1 entries, xau(3): counted strings, all big-endian. */
export function authorityFile(entries: readonly AuthorityEntry[]): Buffer {
  return Buffer.concat(
    entries.flatMap(({ family, address, number, cookie }) => [
      uint16(families[family]),
      ...[address, number, 'MIT-MAGIC-COOKIE-1'].map((text) => counted(Buffer.from(text))),
      counted(Buffer.from(cookie, 'hex')),
    ]),
  );
}

function counted(bytes: Buffer): Buffer {
  return Buffer.concat([uint16(bytes.length), bytes]);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
