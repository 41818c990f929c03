/** Families of Xauthority entries (Xauth.h of libXau). */
const FAMILY_LOCAL = 256;
const FAMILY_WILD = 65_535;

/**
 * An Xauthority file for one display: an entry by the host's name, as `xauth add unix:N` makes it, and one that fits any
 * name, as hosts are renamed while programs run.
 */
export function farAuthority(
  hostName: string,
  number: number,
  { protocol, cookie }: { readonly protocol: string; readonly cookie: string },
): Buffer {
  const entry = (family: number, address: string): Buffer =>
    Buffer.concat([
      uint16(family),
      ...[address, `${number}`, protocol].map((text) => counted(Buffer.from(text))),
      counted(Buffer.from(cookie, 'hex')),
    ]);
  return Buffer.concat([entry(FAMILY_LOCAL, hostName), entry(FAMILY_WILD, '')]);
}

function counted(bytes: Buffer): Buffer {
  return Buffer.concat([uint16(bytes.length), bytes]);
}

function uint16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff);
}
