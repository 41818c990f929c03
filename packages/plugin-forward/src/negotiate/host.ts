const LONGEST_NAME = 255; // RFC 1928 §5 has one byte for it, and DNS no more
const V4_IN_V6 = [...Array<number>(10).fill(0), 0xff, 0xff]; // RFC 4291 §2.5.5.2

/**
 * A host as a client wrote it, in the one form that is checked and dialled: addresses in their usual form (`127.1` and
 * `0x7f000001` are 127.0.0.1 to every resolver, and so here), names lower-case, without the dot of the root. Undefined
 * when it is neither an address nor a name. Nothing is resolved.
 */
export function canonicalHost(text: string): string | undefined {
  if (text.length > LONGEST_NAME) return undefined;
  const [, v6, zone = ''] = /^([\da-fA-F:.]*:[\da-fA-F:.]*)(%[\w.-]+)?$/.exec(text) ?? [];
  if (v6 !== undefined) {
    const address = hostOfUrl(`[${v6}]`);
    return address === undefined ? undefined : address.slice(1, -1) + zone;
  }
  const name = text.replace(/\.$/, '').toLowerCase();
  if (/^(?:0x[\da-f]*|\d+)(?:\.(?:0x[\da-f]*|\d+))*$/.test(name)) return hostOfUrl(name);
  return /^\w(?:[\w.-]*\w)?$/.test(name) && !name.includes('..') ? name : undefined;
}

/** The 4 or 16 bytes of an address in its canonical form, IPv4 also where it is written as IPv6; undefined for a name. */
export function addressBytes(host: string): readonly number[] | undefined {
  if (/^\d+\.\d+\.\d+\.\d+$/.test(host)) return host.split('.').map(Number);
  if (!host.includes(':')) return undefined;
  const bytes = v6Bytes(host);
  return V4_IN_V6.every((byte, index) => bytes[index] === byte) ? bytes.slice(12) : bytes;
}

/** The address that 4 or 16 bytes of a protocol mean, in its canonical form. */
export function addressFrom(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, at) =>
    (((bytes[2 * at] ?? 0) << 8) | (bytes[2 * at + 1] ?? 0)).toString(16),
  );
  return (hostOfUrl(`[${groups.join(':')}]`) ?? '').slice(1, -1);
}

/** All sixteen bytes of an IPv6 address in its shortest form (RFC 5952), whatever its zone. */
export function v6Bytes(host: string): readonly number[] {
  const [head = '', tail] = host.replace(/%.*$/, '').split('::');
  const before = groupsOf(head);
  const after = groupsOf(tail ?? '');
  const zeros = Array<number>(Math.max(0, 8 - before.length - after.length)).fill(0);
  return [...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff]);
}

function groupsOf(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

/** The parser of URLs knows every form of an address (WHATWG URL §3.5), and its shortest one. */
function hostOfUrl(host: string): string | undefined {
  return URL.parse(`http://${host}/`)?.hostname;
}
