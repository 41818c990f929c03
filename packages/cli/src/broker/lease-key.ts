import type { ResolvedDestination, Route, TypedOptions } from '@viassh/core';

/**
 * The broker's key of a login, for a route as it was resolved, before a command has set keepalives of its own. How the
 * destination was written (`gate`, `user@gate:22`) counts only by what comes of it, and so does the spelling of `-o`.
 */
export async function keyOfRoute({ hops, proxy }: Route, transport: string): Promise<string> {
  const { leaseKey } = await import('@viassh/broker');
  return leaseKey({
    route: { hops: [...hops.slice(0, -1).map(plain), plain(hops.at(-1) ?? hops[0])], proxy },
    transport,
  });
}

function plain(hop: ResolvedDestination): ResolvedDestination {
  const raw = new Map([...hop.raw].filter(([name]) => name !== 'host')); // of `ssh -G`: as it was written
  return { ...hop, raw, destination: { host: hop.hostName }, typed: plainTyped(hop.typed) };
}

function plainTyped({ options = [], identityFiles = [], ...typed }: TypedOptions): TypedOptions {
  const { compression = false } = typed;
  return { ...typed, user: undefined, port: undefined, compression, identityFiles, options: options.map(spelledAlike) };
}

function spelledAlike(option: string): string {
  const [, keyword = '', value = ''] = /^\s*([^\s=]*)\s*=?\s*(.*)$/s.exec(option) ?? [];
  return `${keyword.toLowerCase()}=${value}`;
}
