import type { ViasshError } from '../errors/viassh-error.ts';
import { openFailure } from './refusals.ts';

/** Why a server opened no channel to a port, as far as it said. */
export type OpenRefusal =
  | 'prohibited'
  | 'connection-refused'
  | 'host-unreachable'
  | 'network-unreachable'
  | 'name-unknown'
  | 'timed-out'
  | 'unknown';

/** What sshd hands on of connect(2) and getaddrinfo(3), in the words of the C libraries. */
const words: readonly (readonly [RegExp, OpenRefusal])[] = [
  [/connection refused/i, 'connection-refused'],
  [/no route to host|host is (?:down|unreachable)/i, 'host-unreachable'],
  [/network is (?:down|unreachable)/i, 'network-unreachable'],
  [/timed out/i, 'timed-out'],
  [/not known|name resolution|no address associated|name does not resolve|unknown host/i, 'name-unknown'],
];

/**
 * Tells the reasons of a CHANNEL_REFUSED apart: for those who answer in a protocol that has words of its own for them.
 * `unknown` is what servers that say nothing get, and errors of another code.
 */
export function whyRefused({ code, cause }: ViasshError): OpenRefusal {
  if (code !== 'CHANNEL_REFUSED' || !(cause instanceof Error) || !('reason' in cause)) return 'unknown';
  if (cause.reason === openFailure.prohibited) return 'prohibited';
  if (cause.reason !== openFailure.connectFailed) return 'unknown';
  return words.find(([pattern]) => pattern.test(cause.message))?.[1] ?? 'unknown';
}
