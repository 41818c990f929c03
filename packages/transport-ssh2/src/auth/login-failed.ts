import { type ResolvedDestination, sanitize, ViasshError } from '@viassh/core';
import { peerOf } from '../hop.ts';
import type { Identities } from './identities.ts';

/** What is known when a login failed. */
export interface LoginRecord {
  readonly tried: readonly string[];
  readonly identities: Identities;
  /** The methods that the server would go on with, when it said. */
  readonly allowed: readonly string[] | undefined;
  readonly askable: boolean;
  readonly partial: boolean;
  readonly cause?: unknown;
}

/** AUTH_FAILED: what was tried, what the server would take, which keys were passed over, and what to do. */
export function loginFailed(hop: ResolvedDestination, record: LoginRecord): ViasshError {
  const { tried, identities, allowed, partial, cause } = record;
  const parts = [
    `${peerOf(hop)}: permission denied`,
    `tried: ${tried.length === 0 ? 'nothing' : tried.join(', ')}`,
    ...(partial ? ['the server accepted a part and asks for more'] : []),
    ...(allowed === undefined ? [] : [`the server takes: ${allowed.map(sanitize).join(', ')}`]),
    ...(identities.skipped.length === 0 ? [] : [`passed over: ${identities.skipped.join(', ')}`]),
  ];
  return new ViasshError('AUTH_FAILED', parts.join('; '), { hint: hintFor(hop, record), cause });
}

function hintFor(hop: ResolvedDestination, { tried, identities, allowed, askable }: LoginRecord): string {
  const takes = (method: string): boolean => allowed?.includes(method) === true;
  if (tried.some((attempt) => attempt.includes('accepted, but')))
    return 'the server would take that key: give its passphrase, or load it into an agent with ssh-add';
  if (takes('publickey') && !hop.pubkeyAuthentication) return 'the server takes keys, and PubkeyAuthentication is off';
  if (takes('publickey') && identities.usable.length === 0) {
    if (identities.agent === 'unreachable')
      return 'the agent does not answer (IdentityAgent, SSH_AUTH_SOCK), and no key file can be used';
    return 'no key can be used: name one with -i, or make one with ssh-keygen and add its public half to authorized_keys there';
  }
  if ((takes('password') || takes('keyboard-interactive')) && !askable)
    return 'the server takes a password, and there is nobody to ask for it';
  if (takes('publickey'))
    return 'add the public half of one of these keys to authorized_keys on the server, or name another with -i';
  if (takes('gssapi-with-mic') || takes('hostbased'))
    return 'use --transport openssh for Kerberos and host-based logins';
  return 'check the user name and how the server lets it log in';
}
