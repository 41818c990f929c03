import { createHash } from 'node:crypto';
import type { Route } from '@viassh/core';

/** All that decides about a login. */
export interface LeaseKeyParts {
  /** Resolved: every setting of every hop, the agents, what SendEnv and SetEnv come to, and what was typed. */
  readonly route: Route;
  /** As asked for: `auto`, or a transport's name. */
  readonly transport: string;
}

/**
 * The same for connections that may be shared, and for no others: a login made with somebody's `-i`, or with another
 * agent, is not lent to who did not ask for it. A SHA-256, hexadecimal.
 */
export function leaseKey({ route, transport }: LeaseKeyParts): string {
  return createHash('sha256')
    .update(JSON.stringify(inOrder({ route, transport })))
    .digest('hex');
}

/** The same text for the same values, in whatever order they were set. */
function inOrder(value: unknown): unknown {
  if (value instanceof Map) return inOrder(Object.fromEntries(value));
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, inner]) => [key, inOrder(inner)]);
}
