import { type Account, authorizedKeysLine, ViasshError } from '@viassh/core';
import { builtinPlugins, builtinPrograms } from '../builtin.ts';
import type { CommandContext } from './command-context.ts';
import { readPublicKeys } from './read-public-keys.ts';
import { writeTable } from './write-table.ts';

/** In place of a key that was not given. */
const someKey = 'ssh-ed25519 AAAA... whose-key-it-is';

/**
 * `viassh account [PROGRAM [KEY.pub…]]`: prints the authorized_keys lines that let these keys do just this, or what
 * programs there are. All that is no such line is a comment of authorized_keys.
 *
 * @throws ViasshError USAGE, OPTION_INVALID
 */
export async function runAccount(
  { globals, stdin, stdout }: CommandContext,
  program: string | undefined,
  keyFiles: readonly string[],
  raw: Readonly<Record<string, unknown>>,
): Promise<number> {
  const accounts = await allAccounts();
  if (program === undefined) {
    const list = accounts.map(({ program, summary }) => ({ program, summary }));
    if (globals.json) stdout.write(`${JSON.stringify({ accounts: list }, null, 2)}\n`);
    else
      writeTable(
        stdout,
        list.map((account) => [account.program, account.summary]),
      );
    return 0;
  }
  const account = accounts.find((candidate) => candidate.program === program);
  if (account === undefined) {
    throw new ViasshError('USAGE', `there is no account for '${program}'`, {
      hint: `there are those for ${accounts.map((known) => known.program).join(', ')}`,
    });
  }
  const lines = account.lines(raw, { viassh: 'viassh' });
  const keys = await readPublicKeys(keyFiles, stdin);
  const { sshdConfig = [], notes = [] } = lines;
  const authorizedKeys = keys.map((key) => authorizedKeysLine(lines, key));
  const example = authorizedKeysLine(lines, someKey);
  if (globals.json) {
    const found = { authorizedKeys, ...(keys.length === 0 ? { example } : {}), sshdConfig, notes };
    stdout.write(`${JSON.stringify(found, null, 2)}\n`);
  } else {
    const comments = [
      ...notes,
      ...(sshdConfig.length === 0 ? [] : ['in sshd_config:', ...sshdConfig.map((line) => `  ${line}`)]),
      ...(keys.length === 0
        ? ['no KEY.pub was named; the line would be, with the key in place of the last words:']
        : []),
    ];
    for (const comment of comments) stdout.write(`# ${comment}\n`);
    for (const line of keys.length === 0 ? [`# ${example}`] : authorizedKeys) stdout.write(`${line}\n`);
  }
  return 0;
}

/** The first account that is named among words, for its options. */
export async function findAccount(words: readonly string[]): Promise<Account | undefined> {
  const accounts = await allAccounts();
  const program = words.find((word) => accounts.some((account) => account.program === word));
  return accounts.find((account) => account.program === program);
}

async function allAccounts(): Promise<readonly Account[]> {
  const owners = await Promise.all([...builtinPlugins, ...builtinPrograms].map(async (entry) => await entry.load()));
  return owners.flatMap(({ accounts = [] }) => accounts);
}
