import { createHash } from 'node:crypto';

/** A public host key as it came over the wire. */
export interface HostKey {
  /** The first string of the blob, RFC 4253 §6.6: `ssh-ed25519`, `ssh-rsa`, `ecdsa-sha2-nistp256`, … */
  readonly type: string;
  /** The whole blob. */
  readonly blob: Buffer;
}

/** Reads the type out of a public key blob. @throws RangeError when it is not one. */
export function parseHostKey(blob: Buffer): HostKey {
  const length = blob.readUInt32BE(0);
  if (length === 0 || length > blob.length - 4) throw new RangeError('not a public key blob');
  return { type: blob.toString('latin1', 4, 4 + length), blob };
}

/** `SHA256:…`, base64 without padding, as ssh-keygen -l shows it. */
export function fingerprint(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** `ssh-ed25519 SHA256:…` */
export function describeHostKey(key: HostKey): string {
  return `${key.type} ${fingerprint(key.blob)}`;
}
