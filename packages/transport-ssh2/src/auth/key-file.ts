import { createPrivateKey } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { type HostKey, parseHostKey } from '@viassh/core';
import ssh2, { type ParsedKey } from 'ssh2';
import { Fields } from './agent-client.ts';

/** What is known of an IdentityFile without its passphrase. */
export interface KeyFile {
  readonly file: string;
  /** The public half, when it can be had. */
  readonly publicKey?: HostKey | undefined;
  /** The private half is there and may be used. */
  readonly text?: string | undefined;
  readonly encrypted: boolean;
  /** Why it cannot be used; undefined for a file that is just not there. */
  readonly problem?: string | undefined;
}

/** Reads an IdentityFile and its `.pub`, as OpenSSH does. Never rejects. */
export async function readKeyFile(file: string): Promise<KeyFile> {
  const beside = parsePublicLine(await readFile(`${file}.pub`, 'utf8').catch(() => ''));
  try {
    const { mode, uid } = await stat(file);
    const text = await readFile(file, 'utf8');
    const alone = parsePublicLine(text);
    if (alone !== undefined) return { file, publicKey: alone, encrypted: false };
    if (uid === userInfo().uid && (mode & 0o077) !== 0) {
      const problem = `others can read it (mode 0${(mode & 0o777).toString(8)}): chmod 600 ${file}`;
      return { file, publicKey: beside ?? publicHalf(text).publicKey, encrypted: false, problem };
    }
    return { file, text, ...withPublic(publicHalf(text), beside) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { file, publicKey: beside, encrypted: false };
    return { file, publicKey: beside, encrypted: false, problem: `cannot be read: ${message}` };
  }
}

/** Decrypts a private key. `undefined`: the passphrase is wrong, or the key is broken. */
export function parsePrivateKey(text: string, passphrase?: string): ParsedKey | undefined {
  const parsed = ssh2.utils.parseKey(text, passphrase);
  const key = parsed instanceof Error ? parsePkcs8(text, passphrase) : parsed;
  return key?.isPrivateKey() === true ? key : undefined;
}

type PublicHalf = Pick<KeyFile, 'publicKey' | 'encrypted' | 'problem'>;

function withPublic(half: PublicHalf, beside: HostKey | undefined): PublicHalf {
  if (beside === undefined || half.publicKey !== undefined) return half;
  return half.encrypted ? { publicKey: beside, encrypted: true } : half;
}

function publicHalf(text: string): PublicHalf {
  const base64 = /-----BEGIN OPENSSH PRIVATE KEY-----([^-]*)-----END/.exec(text)?.[1];
  if (base64 !== undefined) return opensshPublicHalf(Buffer.from(base64, 'base64'));
  if (/ENCRYPTED/.test(text))
    return {
      encrypted: true,
      problem: 'it is encrypted in a format that hides its public half, and there is no .pub file beside it',
    };
  const key = parsePrivateKey(text);
  return key === undefined
    ? { encrypted: false, problem: 'it is not a private key that can be read here' }
    : { encrypted: false, publicKey: parseHostKey(key.getPublicSSH()) };
}

/** OpenSSH's PROTOCOL.key: the header tells the public half even of an encrypted key. */
function opensshPublicHalf(buffer: Buffer): PublicHalf {
  const magic = 'openssh-key-v1\0';
  try {
    if (buffer.toString('latin1', 0, magic.length) !== magic) throw new RangeError('no magic');
    const fields = new Fields(buffer.subarray(magic.length));
    const cipher = fields.bytes().toString('latin1');
    fields.bytes(); // kdf name
    fields.bytes(); // kdf options
    if (fields.number() !== 1) throw new RangeError('not one key');
    return { encrypted: cipher !== 'none', publicKey: parseHostKey(fields.bytes()) };
  } catch {
    return { encrypted: false, problem: 'it is damaged' };
  }
}

/** `type base64 comment`, the form of a .pub file. */
function parsePublicLine(text: string): HostKey | undefined {
  const [type = '', base64 = ''] = text.trimStart().split(/\s+/, 2);
  if (!/^[a-z0-9@.-]+$/.test(type) || !/^[A-Za-z0-9+/]+=*$/.test(base64)) return undefined;
  try {
    const key = parseHostKey(Buffer.from(base64, 'base64'));
    return key.type === type ? key : undefined;
  } catch {
    return undefined;
  }
}

/** ssh2 does not read PKCS#8 (`ssh-keygen -m PKCS8`); Node turns it into what ssh2 reads. */
function parsePkcs8(text: string, passphrase: string | undefined): ParsedKey | undefined {
  if (!/BEGIN (ENCRYPTED )?PRIVATE KEY/.test(text)) return undefined;
  try {
    const key = createPrivateKey({ key: text, passphrase: passphrase ?? '' });
    const pem = key.export({ format: 'pem', type: key.asymmetricKeyType === 'ec' ? 'sec1' : 'pkcs1' });
    const parsed = ssh2.utils.parseKey(pem.toString());
    return parsed instanceof Error ? undefined : parsed;
  } catch {
    return undefined;
  }
}
