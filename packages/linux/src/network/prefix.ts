import { isIP } from 'node:net';
import { ViasshError } from '@viassh/core';

/** A network: its first address as a number, and the bits that all its addresses share. */
export interface Prefix {
  readonly family: 4 | 6;
  readonly first: bigint;
  readonly length: number;
}

/**
 * Reads `10.1.0.0/16`, `fd00::/8` or an address. Bits behind the prefix are cleared.
 *
 * @throws ViasshError OPTION_INVALID
 */
export function parsePrefix(text: string): Prefix {
  const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  const width = widthOf(family === 6 ? 6 : 4);
  const length = bits === undefined ? width : Number(bits);
  if (family === 0 || length > width || address.includes('%'))
    throw new ViasshError('OPTION_INVALID', `${JSON.stringify(text)} is no network and no address`, {
      hint: 'write it like 10.1.0.0/16, fd00:1::/32 or 10.1.2.3',
    });
  const rest = BigInt(width - length);
  return { family: family === 6 ? 6 : 4, first: (numberOf(address) >> rest) << rest, length };
}

/** As `ip` reads it; IPv6 in its long form. */
export function formatPrefix({ family, first, length }: Prefix): string {
  return `${formatAddress(family, first)}/${length}`;
}

/** Addresses that are equal have the same form. */
export function canonicalAddress(text: string): string {
  const { family, first } = parsePrefix(text);
  return formatAddress(family, first);
}

/** Whether all of `inner` lies in `outer`. */
export function contains(outer: Prefix, inner: Prefix): boolean {
  if (outer.family !== inner.family || outer.length > inner.length) return false;
  const rest = BigInt(widthOf(outer.family) - outer.length);
  return outer.first >> rest === inner.first >> rest;
}

/** Its two halves: together they are more specific than a default route, which so stays where it is. */
export function halves({ family, first, length }: Prefix): readonly [Prefix, Prefix] {
  const upper = first + (1n << BigInt(widthOf(family) - length - 1));
  return [
    { family, first, length: length + 1 },
    { family, first: upper, length: length + 1 },
  ];
}

/** 32 or 128. */
export function widthOf(family: 4 | 6): number {
  return family === 4 ? 32 : 128;
}

function numberOf(address: string): bigint {
  if (!address.includes(':')) return address.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
  // RFC 4291 §2.2: eight groups, `::` for some of zeros, the last two perhaps as an IPv4 address
  const plain = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (v4) => {
    const number = numberOf(v4);
    return `${(number >> 16n).toString(16)}:${(number & 0xffffn).toString(16)}`;
  });
  const [before = [], after = []] = plain.split('::').map((half) => half.split(':').filter((group) => group !== ''));
  const groups = [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after];
  return groups.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}

function formatAddress(family: 4 | 6, number: bigint): string {
  const [size, count, base] = family === 4 ? ([8n, 4, 10] as const) : ([16n, 8, 16] as const);
  const parts = Array.from({ length: count }, (_, index) => {
    const part = (number >> (size * BigInt(count - 1 - index))) & ((1n << size) - 1n);
    return part.toString(base);
  });
  return parts.join(family === 4 ? '.' : ':');
}
