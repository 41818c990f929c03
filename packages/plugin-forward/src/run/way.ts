import type { ConnectionInfo, Originator } from '@viassh/core';

/** The hops that bytes go through, from the first: `user@host:port` each. */
export function viaOf({ hops }: Pick<ConnectionInfo, 'hops'>): readonly string[] {
  return hops.map(({ peer }) => peer);
}

/** `127.0.0.1:4711`; `unknown` where nobody tells. */
export function describeOriginator(originator: Originator | undefined): string {
  if (originator === undefined) return 'unknown';
  const { address, port } = originator;
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}
