import { createHash } from 'node:crypto';
import type { Route } from '@viassh/core';

/**
 * Equal for connections of which one may stand for the other: a hash of all that ssh_config, what was typed and the
 * surroundings say of every hop, of the proxy before them and of the transport. How the destination was written counts only by
 * what comes of it.
 */
export function leaseKey({ hops, proxy }: Route, transport: string): string {
  const facts = hops.map(({ raw, hostName, user, port, identityAgent, forwardAgent, sessionEnv }) => ({
    hostName,
    user,
    port,
    identityAgent,
    forwardAgent,
    sessionEnv,
    raw: [...raw].filter(([name]) => !asWritten.has(name)).toSorted(([one], [other]) => (one < other ? -1 : 1)),
  }));
  return createHash('sha256').update(JSON.stringify({ transport, proxy, facts })).digest('hex');
}

/** What `ssh -G` says of how the destination was written. */
const asWritten: ReadonlySet<string> = new Set(['host']);
