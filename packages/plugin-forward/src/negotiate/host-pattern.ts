import { addressBytes, canonicalHost } from './host.ts';

/** Hosts that a rule is about. */
export interface HostPattern {
  /** `host` in its canonical form. A network knows addresses only: what a name leads to is the far end's knowledge. */
  matches(host: string): boolean;
}

/** Reads `*`, a name, `*.DOMAIN`, an address, `ADDRESS/BITS`; undefined for anything else. */
export function parseHostPattern(text: string): HostPattern | undefined {
  if (text === '*') return { matches: () => true };
  const [, base = '', digits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const domain = base.startsWith('*.') ? canonicalHost(base.slice(2)) : undefined;
  const host = domain ?? canonicalHost(base);
  if (host === undefined) return undefined;
  const network = addressBytes(host);
  if (network === undefined) {
    if (digits !== undefined) return undefined;
    return { matches: domain === undefined ? (name) => name === host : (name) => name.endsWith(`.${host}`) };
  }
  if (domain !== undefined) return undefined;
  const all = network.length * 8;
  const bits = digits === undefined ? all : Number(digits) - (host.includes(':') ? 128 - all : 0); // v4 written as v6
  if (bits < 0 || bits > all) return undefined;
  return { matches: (name) => isWithin(network, bits, addressBytes(name)) };
}

function isWithin(network: readonly number[], bits: number, address: readonly number[] | undefined): boolean {
  if (address?.length !== network.length) return false;
  return network.every((byte, at) => {
    const kept = Math.min(8, Math.max(0, bits - at * 8));
    const mask = (0xff << (8 - kept)) & 0xff;
    return (byte & mask) === ((address[at] ?? 0) & mask);
  });
}
