import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { parseHostKey, ViasshError } from '@viassh/core';

/** What sshd takes in authorized_keys, sshd(8); a DSA key only before OpenSSH 10. */
const types =
  /^(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)|sk-ssh-ed25519@openssh\.com|sk-ecdsa-sha2-nistp256@openssh\.com)$/;

/**
 * The public keys in some files, `type base64 comment` each; `-` is stdin. Nothing that is read is shown unless it is
 * a public key.
 *
 * @throws ViasshError OPTION_INVALID
 */
export async function readPublicKeys(files: readonly string[], stdin: Readable): Promise<readonly string[]> {
  const keys: string[] = [];
  for (const file of files) keys.push(...keysIn(await read(file, stdin), file === '-' ? 'stdin' : file));
  return keys;
}

async function read(file: string, stdin: Readable): Promise<string> {
  if (file === '-') return await text(stdin);
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown reason';
    const hint = `ssh-keygen -t ed25519 makes a pair: the public key is in the file that ends in .pub`;
    throw new ViasshError('OPTION_INVALID', `the key file ${file} cannot be read (${code})`, { hint, cause });
  }
}

function keysIn(content: string, name: string): string[] {
  if (/PRIVATE KEY|^PuTTY-User-Key-File/m.test(content))
    throw invalid(
      name,
      'it is a private key, which has to stay where it is',
      `give the public half: ssh-keygen -y -f ${name}`,
    );
  if (/^---- BEGIN SSH2 PUBLIC KEY/m.test(content))
    throw invalid(name, 'it is in the form of RFC 4716', `ssh-keygen -i -f ${name} makes one of OpenSSH's form`);
  const lines = content.split(/\r?\n/).map((line) => line.trim());
  const keys = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (keys.length === 0) throw invalid(name, 'it is empty');
  return keys.map((line) => checked(line, name));
}

function checked(line: string, name: string): string {
  const [type = '', base64 = '', ...comment] = line.split(/[ \t]+/);
  if (type.endsWith('-cert-v01@openssh.com'))
    throw invalid(name, 'it is a certificate', 'give the key itself, without -cert in the name of its file');
  if (!types.test(type)) throw invalid(name, 'it does not begin with a type of key that sshd takes');
  if (!isKey(type, base64)) throw invalid(name, 'the key is damaged, or not all of it is there');
  if (/\p{Cc}/u.test(comment.join(''))) throw invalid(name, 'there is a control character in its comment');
  return [type, base64, ...comment].join(' ');
}

function isKey(type: string, base64: string): boolean {
  const blob = Buffer.from(base64, 'base64');
  try {
    return blob.toString('base64') === base64 && parseHostKey(blob).type === type && endsWhole(blob);
  } catch {
    return false;
  }
}

/** Is the blob a row of strings with nothing left over? RFC 4251 §5. */
function endsWhole(blob: Buffer): boolean {
  let at = 0;
  let strings = 0;
  for (; at + 4 <= blob.length; strings += 1) at += 4 + blob.readUInt32BE(at);
  return at === blob.length && strings > 1;
}

function invalid(
  name: string,
  why: string,
  hint = 'one line of a file like ~/.ssh/id_ed25519.pub is wanted',
): ViasshError {
  return new ViasshError('OPTION_INVALID', `no public key is in ${name}: ${why}`, { hint });
}
