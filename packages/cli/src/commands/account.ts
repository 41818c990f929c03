import { readFile } from 'node:fs/promises';
import { type Account, authorizedKeysLine, ViasshError } from '@viassh/core';
import { builtinPlugins, builtinPrograms } from '../builtin.ts';
import type { CommandContext } from './command-context.ts';

/** `viassh account PROGRAM [KEY.pub]`: prints the authorized_keys line that lets that key do just this. */
export async function runAccount(
  { stdout }: CommandContext,
  program: string,
  keyFile: string | undefined,
  raw: Readonly<Record<string, unknown>>,
): Promise<number> {
  const account = (await allAccounts()).find((candidate) => candidate.program === program);
  if (account === undefined)
    throw new ViasshError('USAGE', `there is no account for '${program}'`, { hint: 'viassh account lists them' });
  const lines = account.lines(raw, { viassh: 'viassh' });
  const key = keyFile === undefined ? 'ssh-ed25519 AAAA... whose-key-it-is' : await readFile(keyFile, 'utf8');
  for (const note of [...(lines.notes ?? []), ...(lines.sshdConfig ?? []).map((line) => `sshd_config: ${line}`)])
    stdout.write(`# ${note}\n`);
  stdout.write(`${authorizedKeysLine(lines, key)}\n`);
  return 0;
}

async function allAccounts(): Promise<readonly Account[]> {
  const owners = await Promise.all([...builtinPlugins, ...builtinPrograms].map(async (entry) => await entry.load()));
  return owners.flatMap(({ accounts = [] }) => accounts);
}
