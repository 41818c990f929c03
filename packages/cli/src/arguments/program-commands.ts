import { type Account, type PluginRegistry, type Recipe, ViasshError } from '@viassh/core';
import type { Argv } from 'yargs';
import { builtinPrograms } from '../builtin.ts';
import type { CommandContext } from '../commands/command-context.ts';
import { globalOptions } from './global-options.ts';
import { letters } from './normalize-argv.ts';
import { optionsOf, yargsOptions } from './option-table.ts';

type Values = Readonly<Record<string, unknown>>;

/** Takes a command that was understood: its options, and what it does in a context. */
export type TakeCommand = (values: Values, run: (context: CommandContext) => Promise<number>) => void;

/** The commands that read the rest of the line by themselves. */
export const ownReaders: readonly string[] = ['rsh', 'autossh', 'rrsync', ...builtinPrograms.map(({ name }) => name)];

const programNames = builtinPrograms.map(({ name }) => name);

/** What the general help says of them. */
export const ownReadersHelp: string = [
  "Programs that call ssh, with viassh in its place; what stands behind the program's name is the program's:",
  `  viassh [options] ${programNames.join('|')} ...`,
  'And what they call then, as any other program may (it is installed as viassh-ssh, too):',
  '  viassh [options] rsh [ssh options] HOST [COMMAND...]',
  "Forwards and sessions that stay up: autossh's command line and AUTOSSH_ variables:",
  '  viassh [options] autossh [-M PORT] [-f] [ssh options] HOST [COMMAND...]',
  'A forced command for a key that may use rsync in one folder (viassh account rsync --checker viassh KEY.pub):',
  '  viassh rrsync [-ro|-wo] [...] DIR',
].join('\n');

/**
 * The remote shell and the programs: known for help, completion and the suggestion of a command that was misspelled.
 * Whoever runs them has split the line before.
 */
export function addOwnReaders(parser: Argv, take: TakeCommand): void {
  const summaries = [
    {
      name: 'rsh',
      usage: '[options] rsh [ssh options] HOST [COMMAND...]',
      summary: 'the remote shell that rsync, cvs, git and the like call',
    },
    {
      name: 'autossh',
      usage: '[options] autossh [-M PORT] [-f] [ssh options] HOST [COMMAND...]',
      summary: 'forwards and sessions that stay up, as with autossh(1)',
    },
    { name: 'rrsync', usage: 'rrsync [-ro|-wo] [...] DIR', summary: 'a forced command: rsync in one folder' },
    ...builtinPrograms.map(({ name, summary }) => ({
      name,
      usage: `[options] ${name} [whatever ${name} takes]`,
      summary,
    })),
  ];
  for (const { name, usage, summary } of summaries) {
    parser.command(
      name,
      false,
      (own) => own.usage(`$0 ${usage}\n\n${summary}; its own help: viassh ${name} --help`),
      (values: Values) =>
        take(values, async () => {
          throw new ViasshError('INTERNAL', `${name} was to read its arguments by itself`);
        }),
    );
  }
}

/** `recipe` and `account`: what has to be set on this side, and on the server's. */
export function addRecipeAndAccount(
  parser: Argv,
  take: TakeCommand,
  words: readonly string[],
  plugins: PluginRegistry,
): void {
  let account: Account | undefined;
  let recipe: Pick<Recipe, 'program' | 'options'> | undefined;
  parser
    .command(
      'recipe [program] [destination]',
      'print the configuration that makes a program use viassh, as a shell script',
      async (own: Argv) => {
        const { findRecipe } = await import('../commands/recipe.ts');
        recipe = await findRecipe(words.slice(words.indexOf('recipe') + 1));
        return withoutConnection(own, recipe?.options ?? {})
          .positional('program', { type: 'string', describe: 'one of those that are listed without it' })
          .positional('destination', { type: 'string', describe: 'what the program is to reach: [user@]host[:port]' })
          .options(yargsOptions(recipe?.options ?? {}))
          .usage(`$0 recipe [${recipe?.program ?? 'PROGRAM'} DEST${recipe?.options === undefined ? '' : ' [options]'}]`)
          .example('$0 recipe', 'list the programs')
          .example('$0 recipe git user@host', 'read it')
          .example('$0 recipe git user@host | sh', 'do it')
          .example('$0 recipe systemd | sh', 'the broker as a unit; launchd likewise');
      },
      (values: Values) => {
        const own = recipe?.options ?? {};
        const others = Object.fromEntries(Object.entries(values).filter(([name]) => !Object.hasOwn(own, name)));
        take(others, async (context) => {
          refuseConnectionOptions('recipe', others, own);
          const typed = [values['program'], values['destination']].filter((word) => word !== undefined).map(String);
          const behind = behindDashes(values).map(String);
          // A recipe without options takes its destination from there, too: a name that begins with a dash is then said to be one.
          const [program, destination, ...rest] = recipe?.options === undefined ? [...typed, ...behind] : typed;
          if (rest.length > 0) throw tooMany(rest);
          const { runRecipe } = await import('../commands/recipe.ts');
          const commandWords = recipe?.options === undefined ? [] : behind;
          return await runRecipe(context, program, destination, optionsOf(own, values), commandWords, plugins);
        });
      },
    )
    .command(
      'account [program] [keys..]',
      "print the server's side: the authorized_keys line that lets a key do just this",
      async (own: Argv) => {
        const { findAccount } = await import('../commands/account.ts');
        account = await findAccount(words.slice(words.indexOf('account') + 1));
        return withoutConnection(own, account?.options ?? {})
          .positional('program', { type: 'string', describe: 'one of those that are listed without it' })
          .positional('keys', { type: 'string', describe: 'files with public keys; - is stdin' })
          .options(yargsOptions(account?.options ?? {}))
          .usage(`$0 account [${account?.program ?? 'PROGRAM'} [options] [KEY.pub...]]`)
          .example('$0 account', 'list the programs')
          .example('$0 account rsync id_ed25519.pub >>~/.ssh/authorized_keys', 'on the server');
      },
      (values: Values) => {
        const own = account?.options ?? {};
        const others = Object.fromEntries(Object.entries(values).filter(([name]) => !Object.hasOwn(own, name)));
        take(others, async (context) => {
          refuseConnectionOptions('account', others, own);
          const { runAccount } = await import('../commands/account.ts');
          const files = [...((values['keys'] as readonly unknown[] | undefined) ?? []), ...behindDashes(values)];
          const keys = words.includes('-') && !files.includes('-') ? [...files, '-'] : files; // yargs drops a lone dash
          return await runAccount(context, optional(values['program']), keys.map(String), optionsOf(own, values));
        });
      },
    );
}

const notOfConnections: readonly string[] = ['quiet', 'verbose', 'json'];
const connectionOptions = Object.keys(globalOptions).filter((name) => !notOfConnections.includes(name));

/** Nothing is reached by these two commands: their help has none of what says how, but what is an option of their own. */
function withoutConnection<T>(parser: Argv<T>, own: Readonly<Record<string, unknown>>): Argv<T> {
  for (const name of connectionOptions) if (!Object.hasOwn(own, name)) parser.hide(name);
  return parser;
}

/** What would silently count for nothing. `own` are options of the command itself. @throws ViasshError USAGE */
function refuseConnectionOptions(command: string, values: Values, own: Readonly<Record<string, unknown>>): void {
  const given = connectionOptions.find(
    (name) => !Object.hasOwn(own, name) && values[name] !== undefined && values[name] !== globalOptions[name]?.default,
  );
  if (given === undefined) return;
  const letter = Object.keys(letters).find((candidate) => letters[candidate]?.name === given);
  throw new ViasshError(
    'USAGE',
    `${letter === undefined ? `--${given}` : `-${letter}`} makes no sense with ${command}`,
    {
      hint:
        command === 'recipe'
          ? 'user and port go with the destination, user@host:2222; all else into ~/.ssh/config, where every program finds it'
          : `nothing is reached by it: viassh ${command} --help shows its options`,
    },
  );
}

/** The words behind `--`, which are no options whatever they begin with. */
function behindDashes(values: Values): readonly unknown[] {
  return (values['--'] as readonly unknown[] | undefined) ?? [];
}

function tooMany([first]: readonly string[]): ViasshError {
  return new ViasshError('USAGE', `one destination is enough: ${first}`, { hint: 'viassh recipe PROGRAM DEST' });
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
      usual((_error, found = []) => done([...found.flatMap((one) => withOwnDashes(one, current)), ...more]));
    }
  };
}

/** yargs offers letters behind two dashes, too, where it does not take them. */
function withOwnDashes(found: string, current: string): readonly string[] {
  if (!/^--[^-](?::|$)/.test(found)) return [found];
  return current.startsWith('--') ? [] : [found.slice(1)];
}

function optional(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined; // yargs reads a positional as declared
}
