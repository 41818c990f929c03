import { createHash } from 'node:crypto';
import { type HostKey, parseHostKey } from '@viassh/core';

/** A key blob of the right form; the same seed gives the same key. Nobody can log in with it. */
export function makeKey(seed: string, type = 'ssh-ed25519'): HostKey {
  const material = createHash('sha256').update(seed).digest();
  return parseHostKey(Buffer.concat([field(Buffer.from(type)), field(material)]));
}

/** `TYPE BASE64`, as it stands in a known_hosts line. */
export function keyText(key: HostKey): string {
  return `${key.type} ${key.blob.toString('base64')}`;
}

/** A string of RFC 4251 §5. */
function field(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
