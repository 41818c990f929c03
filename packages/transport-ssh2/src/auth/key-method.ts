import type { ResolvedDestination } from '@viassh/core';
import ssh2 from 'ssh2';
import type { Method } from './asked-methods.ts';
import type { Identities, Identity } from './identities.ts';

/**
 * The key that is signed with without asking the server first whether it would take it (RFC 4252 §7), which saves a round
 * trip: only where it is the one key there is, and signing bothers nobody. Several are asked for one by one: a signature
 * each would be no fewer tries on the server, and an agent's may want a touch or a confirmation.
 */
export function keySignedAtOnce({ usable }: Identities): Identity | undefined {
  const [first] = usable;
  return usable.length === 1 && first?.signsSilently === true ? first : undefined;
}

/** Offers one key after the other; writes into `tried` what became of each. */
export function keyMethod(hop: ResolvedDestination, identities: Identities, tried: string[]): Method {
  const waiting = [...identities.usable];
  const atOnce = keySignedAtOnce(identities) !== undefined;
  return async () => {
    const identity = waiting.shift();
    if (identity === undefined) return undefined;
    const place = tried.push(`publickey (${identity.label})`) - 1;
    const failed = (error: Error): void =>
      void (tried[place] = `publickey (${identity.label}: ${atOnce ? '' : 'accepted, but '}${error.message})`);
    return { type: 'agent', username: hop.user, agent: agentOf(identity, failed) };
  };
}

/** One key as an ssh2 agent: the only way by which ssh2 asks for the signature after the server accepted the key. */
function agentOf(identity: Identity, failed: (error: Error) => void): ssh2.BaseAgent {
  type Answer<T> = (error: Error | null, result?: T) => void;
  const sign = async (data: Buffer, hash: string | undefined, answer: Answer<Buffer>): Promise<void> => {
    const outcome = await identity.sign(data, hash).catch((error: Error) => error);
    if (outcome instanceof Error) failed(outcome);
    try {
      if (outcome instanceof Error) answer(outcome);
      else answer(null, outcome);
    } catch {
      // ssh2 throws when the wire is gone by now; that the hop ended is told elsewhere
    }
  };
  const agent = {
    getIdentities: (answer: Answer<Buffer[]>) => answer(null, [identity.publicKey.blob]),
    sign: (_key: unknown, data: Buffer, { hash }: { hash?: string }, answer: Answer<Buffer>) =>
      void sign(data, hash, answer),
  };
  const Base = ssh2.BaseAgent as unknown as new () => ssh2.BaseAgent;
  return Object.assign(new Base(), agent);
}
