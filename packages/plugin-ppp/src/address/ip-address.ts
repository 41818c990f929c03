/** An address in text. */
export interface IpAddress {
  readonly family: 4 | 6;
  /** As it is written usually: RFC 5952 for IPv6. */
  readonly text: string;
  /** Four or sixteen. */
  readonly bytes: Buffer;
}

/** An address of either family, without a zone; undefined for what is none. */
export function parseIp(text: string): IpAddress | undefined {
  const four = parseIpv4(text);
  if (four !== undefined) return { family: 4, text: showIpv4(four), bytes: four };
  const six = parseIpv6(text);
  return six === undefined ? undefined : { family: 6, text: showIpv6(six), bytes: six };
}

/** Bits of a whole address. */
export const fullPrefix: Readonly<Record<4 | 6, number>> = { 4: 32, 6: 128 };

/** Four bytes of it, undefined when it is no IPv4 address. */
export function parseIpv4(text: string): Buffer | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return undefined;
  return Buffer.from(parts.map(Number));
}

export function showIpv4(bytes: Uint8Array): string {
  return bytes.join('.');
}

/** By the URL standard's reader of IPv6: RFC 4291 §2.2. */
function parseIpv6(text: string): Buffer | undefined {
  if (!text.includes(':') || !/^[0-9a-fA-F:.]+$/.test(text) || !URL.canParse(`http://[${text}]/`)) return undefined;
  const [head = '', tail] = new URL(`http://[${text}]/`).hostname.slice(1, -1).split('::');
  const [before, after] = [groups(head), groups(tail ?? '')];
  const all = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => '0'), ...after];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

function groups(part: string): string[] {
  return part === '' ? [] : part.split(':');
}

/** In the shortest form (RFC 5952). */
export function showIpv6(bytes: Uint8Array): string {
  const all = Buffer.from(bytes).toString('hex').match(/.{4}/g) ?? [];
  return new URL(`http://[${all.join(':')}]/`).hostname.slice(1, -1);
}

/** Can one host have it? Not nothing, loopback, multicast, reserved or broadcast. */
export function isHostIpv4(bytes: Uint8Array): boolean {
  const first = bytes[0]!;
  return first !== 0 && first !== 127 && first < 224;
}
