import { readFile } from 'node:fs/promises';
import { createProgramRunner } from '@viassh/program';

/** The kinds of key that the fixture makes. */
export type KeyType = 'ed25519' | 'rsa' | 'ecdsa';

/** A key pair in files, as ssh-keygen wrote it. */
export interface KeyPair {
  /** The private key; the public one lies beside it in `.pub`. */
  readonly file: string;
  /** `ssh-ed25519 AAAA… comment`, no line end. */
  readonly publicKey: string;
}

/**
 * Makes a key pair with ssh-keygen. The passphrase is seen in argv: for tests only.
 *
 * @throws Error with what ssh-keygen said.
 */
export async function generateKey(file: string, type: KeyType = 'ed25519', passphrase = ''): Promise<KeyPair> {
  const bits = type === 'rsa' ? ['-b', '2048'] : [];
  const args = ['-q', '-t', type, ...bits, '-N', passphrase, '-C', 'viassh-test', '-f', file];
  const { exit, stderr } = await createProgramRunner().run({ file: 'ssh-keygen', args });
  if (exit.kind !== 'status' || exit.code !== 0) throw new Error(`ssh-keygen failed: ${stderr}`);
  return { file, publicKey: (await readFile(`${file}.pub`, 'utf8')).trim() };
}

/** The blob of a public key line. */
export function blobOf(publicKey: string): Buffer {
  return Buffer.from(publicKey.split(' ')[1] ?? '', 'base64');
}
