/** Address families of an Xauthority file (Xauth.h; those of the X protocol are below 252). */
export const addressFamily = {
  internet: 0,
  internet6: 6,
  /** A name of this machine, for who may not use the network. */
  localHost: 252,
  /** As {@link internet}, by name. */
  netname: 254,
  local: 256,
  /** Every address. */
  wild: 65_535,
} as const;

/** One entry, all as in the file. */
export interface AuthorityEntry {
  readonly family: number;
  /** Four or sixteen bytes of an address, or the name of a host. */
  readonly address: Buffer;
  /** The display's; empty: every one. */
  readonly number: string;
  /** The protocol: `MIT-MAGIC-COOKIE-1`. */
  readonly name: string;
  readonly data: Buffer;
}

/** Reads an Xauthority file: a family, then four counted strings, all big-endian. What is cut off at the end is left out, as by Xlib. */
export function parseAuthority(bytes: Buffer): readonly AuthorityEntry[] {
  const entries: AuthorityEntry[] = [];
  let at = 0;
  const counted = (): Buffer | undefined => {
    if (at + 2 > bytes.length) return undefined;
    const [begin, length] = [at + 2, bytes.readUInt16BE(at)];
    if (begin + length > bytes.length) return undefined;
    at = begin + length;
    return bytes.subarray(begin, at);
  };
  while (at + 2 <= bytes.length) {
    const family = bytes.readUInt16BE(at);
    at += 2;
    const [address, number, name, data] = [counted(), counted(), counted(), counted()];
    if (address === undefined || number === undefined || name === undefined || data === undefined) break;
    entries.push({ family, address, number: number.toString('latin1'), name: name.toString('latin1'), data });
  }
  return entries;
}
