import { isUtf8 } from 'node:buffer';
import { open } from 'node:fs/promises';
import { exitCodeOf, type ProgramRunner, ViasshError } from '@viassh/core';
import { checkCredentials } from '../ppp/auth/check-credentials.ts';
import type { PppCredentials } from '../ppp/ppp-session.ts';

/** Where the proof of who we are comes from: never from the command line. */
export interface SecretSource {
  readonly name: string | undefined;
  readonly secretFile: string | undefined;
  readonly askpass: string | undefined;
}

/**
 * The name and the secret, read when they are asked for; undefined where none was named.
 *
 * @throws ViasshError OPTION_INVALID for a name or a secret that PPP cannot say, for a file that cannot be read, that others may
 * read, or without a secret; PROGRAM_NOT_FOUND, PROGRAM_FAILED
 */
export async function readCredentials(
  { name, secretFile, askpass }: SecretSource,
  { programs, peer, signal }: { programs: ProgramRunner; peer: string; signal: AbortSignal },
): Promise<PppCredentials | undefined> {
  if (name === undefined) return undefined;
  if (secretFile !== undefined) {
    const secret = await readSecretFile(secretFile);
    if (secret === '')
      throw new ViasshError('OPTION_INVALID', `the first line of the secret file ${secretFile} is empty`, {
        hint: 'write the secret there, as it stands in pap-secrets or chap-secrets of the far end',
      });
    return checkCredentials({ name, secret });
  }
  if (askpass === undefined) return undefined;
  const args = [`Secret of ${name} for the link to ${peer}: `];
  const { exit, stdout } = await programs.run({ file: askpass, args, signal });
  if (exitCodeOf(exit) !== 0)
    throw new ViasshError('PROGRAM_FAILED', `${askpass} gave no secret (status ${exitCodeOf(exit)})`, {
      hint: 'it has to print the secret and end with status 0',
    });
  return checkCredentials({ name, secret: firstLine(stdout) });
}

async function readSecretFile(path: string): Promise<string> {
  let bytes: Buffer;
  try {
    await using file = await open(path, 'r');
    const { mode } = await file.stat();
    if ((mode & 0o077) !== 0)
      throw new ViasshError('OPTION_INVALID', `others may read the secret file ${path}`, { hint: `chmod 600 ${path}` });
    bytes = await file.readFile();
  } catch (cause) {
    if (cause instanceof ViasshError) throw cause;
    const why = (cause as NodeJS.ErrnoException).code ?? 'unknown reason';
    throw new ViasshError('OPTION_INVALID', `the secret file ${path} cannot be read (${why})`, {
      hint: 'write a file with the secret on its first line, for you alone (chmod 600)',
      cause,
    });
  }
  const end = bytes.indexOf('\n');
  const line = end < 0 ? bytes : bytes.subarray(0, end);
  if (!isUtf8(line))
    throw new ViasshError('OPTION_INVALID', `the secret in ${path} is no UTF-8`, {
      hint: 'write it as UTF-8, or agree on a secret of ASCII letters and digits',
    });
  return firstLine(bytes.toString('utf8'));
}

function firstLine(text: string): string {
  return text.split(/\r?\n/, 1)[0] ?? '';
}
