import { generateKeyPairSync, randomBytes } from 'node:crypto';

/** An Ed25519 key pair in the forms that ssh programs read. */
export interface Ed25519Key {
  /** OpenSSH's own private key format (its PROTOCOL.key), without a passphrase. */
  readonly privateKey: string;
  /** RFC 8709 §4 public key blob. */
  readonly publicBlob: Buffer;
  /** `ssh-ed25519 AAAA… comment` */
  readonly publicLine: string;
}

const TYPE = 'ssh-ed25519';

/**
 * Makes a key pair in memory. Written by hand here because ssh2's own generator drops leading zero bytes of the public
 * key, which spoils one key in 256.
 */
export function generateEd25519Key(comment: string): Ed25519Key {
  const { x = '', d = '' } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const publicKey = Buffer.from(x, 'base64url');
  const secret = Buffer.from(d, 'base64url');
  const publicBlob = Buffer.concat([string(TYPE), string(publicKey)]);
  return {
    privateKey: armour(privateBlob(publicBlob, publicKey, secret, comment)),
    publicBlob,
    publicLine: `${TYPE} ${publicBlob.toString('base64')} ${comment}`,
  };
}

/** PROTOCOL.key §1 to §3: magic, no cipher, no KDF, one key. */
function privateBlob(publicBlob: Buffer, publicKey: Buffer, secret: Buffer, comment: string): Buffer {
  const check = randomBytes(4);
  const plain = Buffer.concat([
    check,
    check,
    string(TYPE),
    string(publicKey),
    string(Buffer.concat([secret, publicKey])),
    string(comment),
  ]);
  const padding = Buffer.from(Array.from({ length: (8 - (plain.length % 8)) % 8 }, (_, index) => index + 1));
  return Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    string('none'),
    string('none'),
    string(''),
    uint32(1),
    string(publicBlob),
    string(Buffer.concat([plain, padding])),
  ]);
}

function armour(blob: Buffer): string {
  const lines = blob.toString('base64').match(/.{1,70}/g) ?? [];
  return ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n');
}

/** RFC 4251 §5 */
function string(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
