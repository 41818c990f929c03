import { type Account, ViasshError } from '@viassh/core';
import type { Argv } from 'yargs';
import { builtinPrograms } from '../builtin.ts';
import type { CommandContext } from '../commands/command-context.ts';
import { optionsOf, yargsOptions } from './option-table.ts';

type Values = Readonly<Record<string, unknown>>;

/** Takes a command that was understood: its options, and what it does in a context. */
export type TakeCommand = (values: Values, run: (context: CommandContext) => Promise<number>) => void;

/** The commands that read the rest of the line by themselves. */
export const ownReaders: readonly string[] = ['rsh', ...builtinPrograms.map(({ name }) => name)];

/** What the general help says of them. */
export const ownReadersHelp: string = [
  "Programs that call ssh, with viassh in its place; what stands behind the program's name is the program's:",
  `  viassh [options] ${ownReaders.slice(1).join('|')} ...`,
  'And what they call then, as any other program may (it is installed as viassh-ssh, too):',
  '  viassh [options] rsh [ssh options] HOST [COMMAND...]',
].join('\n');

/**
 * The remote shell and the programs: known for help, completion and the suggestion of a command that was misspelled.
 * Whoever runs them has split the line before.
 */
export function addOwnReaders(parser: Argv, take: TakeCommand): void {
  const summaries = [
    { name: 'rsh', summary: 'the remote shell that rsync, cvs, git and the like call' },
    ...builtinPrograms,
  ];
  for (const { name, summary } of summaries) {
    const rest = name === 'rsh' ? '[ssh options] HOST [COMMAND...]' : `[whatever ${name} takes]`;
    parser.command(
      name,
      false,
      (own) => own.usage(`$0 [options] ${name} ${rest}\n\n${summary}; its own help: viassh ${name} --help`),
      (values: Values) =>
        take(values, async () => {
          throw new ViasshError('INTERNAL', `${name} was to read its arguments by itself`);
        }),
    );
  }
}

/** `recipe` and `account`: what has to be set on this side, and on the server's. */
export function addRecipeAndAccount(parser: Argv, take: TakeCommand, words: readonly string[]): void {
  let account: Account | undefined;
  parser
    .command(
      'recipe [program] [destination]',
      'print the configuration that makes a program use viassh, as a shell script',
      (own) =>
        own
          .positional('program', { type: 'string', describe: 'one of those that are listed without it' })
          .positional('destination', { type: 'string', describe: 'what the program is to reach: [user@]host[:port]' })
          .usage('$0 recipe [PROGRAM DEST]')
          .example('$0 recipe', 'list the programs')
          .example('$0 recipe git user@host', 'read it')
          .example('$0 recipe git user@host | sh', 'do it'),
      (values) =>
        take(values, async (context) => {
          const { runRecipe } = await import('../commands/recipe.ts');
          return await runRecipe(context, optional(values['program']), optional(values['destination']));
        }),
    )
    .command(
      'account [program] [keys..]',
      "print the server's side: the authorized_keys line that lets a key do just this",
      async (own: Argv) => {
        const { findAccount } = await import('../commands/account.ts');
        account = await findAccount(words.slice(words.indexOf('account') + 1));
        return own
          .positional('program', { type: 'string', describe: 'one of those that are listed without it' })
          .positional('keys', { type: 'string', describe: 'files with public keys; - is stdin' })
          .options(yargsOptions(account?.options ?? {}))
          .usage(`$0 account [${account?.program ?? 'PROGRAM'} [options] [KEY.pub...]]`)
          .example('$0 account', 'list the programs')
          .example('$0 account rsync id_ed25519.pub >>~/.ssh/authorized_keys', 'on the server');
      },
      (values: Values) =>
        take(values, async (context) => {
          const { runAccount } = await import('../commands/account.ts');
          const files = (values['keys'] as readonly string[] | undefined) ?? [];
          const keys = words.includes('-') ? [...files, '-'] : files; // yargs drops a lone dash
          const raw = optionsOf(account?.options ?? {}, values);
          return await runAccount(context, optional(values['program']), keys.map(String), raw);
        }),
    );
}

/** What yargs completes by itself, once it is called. */
type UsualCompletion = (done: (error: Error | null, found: string[] | undefined) => void) => unknown;

/**
 * Completion: what yargs knows, and these commands, which it does not list; of their arguments nothing. `words` are
 * those of the line behind `viassh`, without the one to complete.
 */
export function completion(
  words: readonly string[],
): (current: string, argv: unknown, usual: UsualCompletion, done: (found: string[]) => void) => void {
  const command = words.find((word) => !word.startsWith('-'));
  return (current, _argv, usual, done) => {
    if (command !== undefined && ownReaders.includes(command)) done([]);
    else {
      const more = command === undefined && !current.startsWith('-') ? ownReaders : [];
      usual((_error, found = []) => done([...found, ...more]));
    }
  };
}

function optional(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined; // yargs reads a positional as declared
}
