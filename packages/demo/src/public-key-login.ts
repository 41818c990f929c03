import { timingSafeEqual } from 'node:crypto';
import type { AuthContext, ParsedKey } from 'ssh2';

/**
 * Lets one user in with one public key and nobody else. A request without a signature only asks whether the key would
 * do (RFC 4252 §7); logged in is who signed.
 */
export function publicKeyLogin(user: string, key: ParsedKey): (context: AuthContext) => void {
  const blob = key.getPublicSSH();
  return (context) => {
    if (context.method !== 'publickey') return context.reject(['publickey']);
    const known =
      context.key.algo === key.type &&
      same(context.key.data, blob) &&
      same(Buffer.from(context.username), Buffer.from(user));
    if (!known) return context.reject(['publickey']);
    if (context.signature === undefined) return context.accept();
    // Its type says boolean, and yet ssh2 returns an Error for a signature that it cannot read.
    const verified: unknown =
      context.blob !== undefined && key.verify(context.blob, context.signature, context.hashAlgo);
    if (verified !== true) return context.reject(['publickey']);
    context.accept();
  };
}

function same(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
