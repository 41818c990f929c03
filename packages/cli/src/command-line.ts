import { createRegistry, type Plugin, type PluginEntry, ViasshError } from '@viassh/core';
import yargs, { type Argv } from 'yargs';
import { globalOptions, type GlobalValues, readGlobals } from './arguments/global-options.ts';
import { type Letters, normalizeArgv } from './arguments/normalize-argv.ts';
import { lettersOf, optionsOf, withVariables, yargsOptions } from './arguments/option-table.ts';
import {
  addOwnReaders,
  addRecipeAndAccount,
  completion,
  ownReadersHelp,
  type TakeCommand,
} from './arguments/program-commands.ts';
import { addBrokerCommands, brokerLetters } from './broker/broker-command-lines.ts';
import { residentOptions } from './background/resident-options.ts';
import { builtinPlugins } from './builtin.ts';
import type { CommandContext } from './commands/command-context.ts';
import { type ProgramCommandLine, splitAtProgram } from './programs/split-at-program.ts';

type Values = Readonly<Record<string, unknown>>;

/** A command line that was understood: what to run, given a context. */
export interface ParsedCommand {
  readonly globals: GlobalValues;
  run(context: CommandContext): Promise<number>;
}

/** What is to be done: run a command, or print a text (help, version, completion) and end. */
export type Parsed =
  | { readonly kind: 'command'; readonly command: ParsedCommand }
  | { readonly kind: 'text'; readonly text: string };

const registry = createRegistry(builtinPlugins);

/**
 * Reads a command line. Nothing is run.
 *
 * @throws ViasshError USAGE, OPTION_INVALID
 */
export async function parseCommandLine(argv: readonly string[], version: string, width: number): Promise<Parsed> {
  const autossh = splitAtProgram(argv, ['autossh']);
  if (autossh !== undefined && autossh.args[0] !== '--help') return await parseAutossh(autossh, version);
  let command: ParsedCommand | undefined;
  const take: TakeCommand = (values, run) => {
    command = { globals: readGlobals(values), run };
  };
  const words = normalizeArgv(argv, await ownLetters(argv));
  const parser = buildParser(take, version, width, words);
  let text = '';
  await parser.parseAsync(words, {}, (error: unknown, _values: unknown, output: string) => {
    if (error instanceof Error) throw error;
    text = output;
  });
  if (command !== undefined) return { kind: 'command', command };
  return { kind: 'text', text };
}

/** autossh reads its words by itself; what stands before it are our own options. */
async function parseAutossh({ own, args }: ProgramCommandLine, version: string): Promise<Parsed> {
  const { readAutosshWords } = await import('./autossh/autossh-words.ts');
  const words = readAutosshWords(args);
  if (words.version) return { kind: 'text', text: `viassh ${version}` };
  const globals = await ownGlobals(own, version);
  return {
    kind: 'command',
    command: {
      globals,
      run: async (context) => {
        const { remoteShellVariables } = await import('./programs/remote-shell-environment.ts');
        const { runAutossh } = await import('./autossh/run-autossh.ts');
        const { variables } = context.environment;
        return await runAutossh(context, words, { ...variables, ...remoteShellVariables(globals, variables) });
      },
    },
  };
}

/** @throws ViasshError USAGE, OPTION_INVALID */
async function ownGlobals(own: readonly string[], version: string): Promise<GlobalValues> {
  // Any command that takes no words does: what is read are the options.
  const parsed = await parseCommandLine(['plugins', ...own], version, 80);
  if (parsed.kind === 'text') throw new ViasshError('INTERNAL', 'a text in place of options');
  return parsed.command.globals;
}

/** Of `pipe` alone: they say the same in three ways, so that the last one can count. */
const pipeLetters: Letters = {
  X: { name: 'x11=untrusted', takesValue: false },
  Y: { name: 'x11=trusted', takesValue: false },
  x: { name: 'x11=none', takesValue: false },
};

/** The letters of the command that is named first among the words. */
async function ownLetters(argv: readonly string[]): Promise<Letters> {
  const broker = Object.entries(brokerLetters).find(([name]) => argv.find((word) => !word.startsWith('-')) === name);
  if (broker !== undefined) return broker[1];
  const named = argv.find((word) => word === 'pipe' || builtinPlugins.some(({ name }) => name === word));
  if (named === 'pipe') return pipeLetters;
  return named === undefined ? {} : lettersOf({ ...residentOptions, ...(await registry.load(named)).options });
}

function buildParser(take: TakeCommand, version: string, width: number, words: readonly string[]): Argv {
  const parser = yargs()
    .scriptName('viassh')
    .locale('en') // one language: what it says is read by `usageError`
    .usage("$0 COMMAND: other programs' protocols, carried through SSH")
    .parserConfiguration({
      'populate--': true,
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
    })
    .options(globalOptions)
    .alias('h', 'help')
    .group(['help', 'version'], 'Options:')
    .command(
      'pipe <destination>',
      "join stdin, stdout and stderr to a remote command's; its exit code is ours",
      (own) =>
        withDestination(own)
          .option('subsystem', { alias: 's', type: 'boolean', describe: 'COMMAND is the name of a subsystem' })
          .option('tty', { alias: 't', type: 'boolean', describe: 'with a terminal on the far end' })
          .option('x11', { type: 'string', choices: ['untrusted', 'trusted', 'none'], describe: x11Help })
          .usage('$0 pipe DEST [options] -- COMMAND...')
          .example("tar cf - dir | $0 pipe user@host -- 'tar xf - -C /tmp'", 'copy a folder there')
          .example('$0 pipe host -- df -h', 'the words are joined by blanks, as ssh does'),
      (values) =>
        take(values, async (context) => {
          const { runPipe } = await import('./commands/pipe.ts');
          return await runPipe(context, {
            destination: destinationOf(values),
            words: wordsOf(values),
            subsystem: values['subsystem'] === true,
            tty: values['tty'] === true,
            x11: x11Of(values['x11']),
          });
        }),
    )
    .command(
      'resolve <destination>',
      'show what would be used for a destination: host, user, hops, keys, transport and why',
      (own) =>
        withDestination(own).usage('$0 resolve DEST [options]').example('$0 resolve --json user@host', 'for scripts'),
      (values) =>
        take(
          values,
          async (context) => await (await import('./commands/resolve.ts')).runResolve(context, destinationOf(values)),
        ),
    )
    .command(
      'plugins',
      'list what is installed and what each needs',
      (own) => own.usage('$0 plugins'),
      (values) =>
        take(values, async (context) => await (await import('./commands/plugins.ts')).runPlugins(context, registry)),
    )
    .command(
      'demo',
      'the main job on an embedded server, in one go',
      (own) => own.usage('$0 demo [--transport openssh|ssh2]'),
      (values) => take(values, async (context) => await (await import('./commands/demo.ts')).runDemo(context)),
    )
    .completion(
      'completion',
      'print a completion script for bash or zsh',
      completion(words.slice(words.indexOf('--get-yargs-completions') + 2, -1)),
    )
    .example('$0 demo', 'see it work, with nothing to set up')
    .example('$0 imap user@host --command /usr/lib/dovecot/imap', 'for mutt: set tunnel="..."')
    .example('$0 smtp user@host --to localhost:25', 'the same for mail that is sent')
    .example('$0 pipe user@host -- uptime', '')
    .example('$0 rsync -a folder/ user@host:folder/', 'rsync, through viassh')
    .epilogue(
      `${ownReadersHelp}\n\n` +
        'Exit codes: those of the remote command; 128+n when signal n ended it; 255 for failures of ours; 64 for usage;' +
        ' smtp --bsmtp: those of sysexits.\n' +
        'Environment: VIASSH_SSH_OPTIONS (options of ssh, a JSON array of strings), VIASSH_TRANSPORT, VIASSH_PROXY.',
    )
    .demandCommand(1, 'a command is missing')
    .recommendCommands()
    .strict()
    .check(() => {
      checkFlags(optionsBefore(words), parser);
      return true;
    })
    .version(version)
    .help('help')
    .wrap(Math.min(width, 110))
    .exitProcess(false)
    .fail((message: string | null, error: Error | undefined) => {
      if (error !== undefined && error.name !== 'YError') throw error; // YError: yargs's own, for what was typed
      const said = message ?? error?.message ?? 'the command line is not understood';
      // An option that nobody knows may have swallowed the destination: it is what is wrong, and not what it took.
      const unknown = said.startsWith('Not enough non-option')
        ? optionsBefore(words).find((word) => !isKnown(word, parser))
        : undefined;
      throw usageError(unknown === undefined ? said : `Unknown argument: ${unknown.replace(/^--|=.*$/gs, '')}`);
    });
  addBrokerCommands(parser, take, registry, version);
  addRecipeAndAccount(parser, take, words, registry);
  for (const entry of builtinPlugins) addPlugin(parser, entry, take);
  addOwnReaders(parser, take);
  return parser;
}

function addPlugin(parser: Argv, entry: PluginEntry, take: TakeCommand): void {
  let plugin: Plugin;
  parser.command(
    `${entry.name} ${entry.mayServeHere === true ? '[destination]' : '<destination>'}`,
    entry.summary,
    async (own: Argv) => {
      plugin = await registry.load(entry.name);
      withDestination(own)
        .usage(`$0 ${entry.name} DEST [options]${plugin.words === undefined ? '' : ` [-- ${plugin.words.name}...]`}`)
        .options(yargsOptions({ ...plugin.options, ...residentOptions }));
      for (const { command, summary } of plugin.examples ?? []) own.example(`$0 ${command}`, summary);
      return own;
    },
    (values: Values) =>
      take(values, async (context) => {
        const { runPluginCommand } = await import('./commands/run-plugin-command.ts');
        return await runPluginCommand(
          context,
          plugin,
          values['destination'] === undefined ? undefined : destinationOf(values),
          withVariables(plugin.options, optionsOf(plugin.options, values), context.environment.variables),
          wordsOf(values),
          optionsOf(residentOptions, values),
        );
      }),
  );
}

/** The words up to `--`, behind which everything belongs to the remote command. */
function optionsBefore(words: readonly string[]): readonly string[] {
  const end = words.indexOf('--');
  return end < 0 ? words : words.slice(0, end);
}

/** Is it no option, or one of those that the parser in force has? */
function isKnown(word: string, parser: unknown): boolean {
  const name = /^--([^=]+)/.exec(word)?.[1];
  const { key } = (parser as { getOptions(): { key: Readonly<Record<string, unknown>> } }).getOptions();
  return name === undefined || Object.hasOwn(key, name);
}

/** yargs takes each value of a flag but `true` for false: `--read-only=yes` would say the contrary. @throws ViasshError USAGE */
function checkFlags(words: readonly string[], parser: unknown): void {
  const { boolean } = (parser as { getOptions(): { boolean: readonly string[] } }).getOptions();
  for (const word of words) {
    const [, name = '', value] = /^--([^=]+)=(.*)$/s.exec(word) ?? [];
    if (value === undefined || value === 'true' || value === 'false' || !boolean.includes(name)) continue;
    throw new ViasshError('USAGE', `--${name} takes no value, and is given '${value}'`, {
      hint: `write --${name}, or leave it away; viassh COMMAND --help shows the options`,
    });
  }
}

/** yargs's words for a mistake, in ours where its own would puzzle. */
function usageError(said: string): ViasshError {
  const valueless = /^Not enough arguments following: (.*)$/.exec(said)?.[1];
  const ours = valueless === undefined ? said : `${valueless.length === 1 ? '-' : '--'}${valueless} wants a value`;
  const message = said.startsWith('Not enough non-option arguments') ? 'the destination is missing' : ours;
  return new ViasshError('USAGE', message, {
    hint: 'viassh --help shows the commands, viassh COMMAND --help the options',
  });
}

function withDestination<T>(own: Argv<T>): Argv<T> {
  return own.positional('destination', {
    type: 'string',
    describe: '[user@]host[:port], ssh://[user@]host[:port], or a Host of ssh_config',
  });
}

function destinationOf(values: Values): string {
  return String(values['destination']);
}

const x11Help = 'X11 for the command: -X is untrusted, -Y trusted, -x none; DISPLAY names the display here';

/** Of -X, -Y and -x the last one counts, as with ssh. */
function x11Of(value: unknown): 'untrusted' | 'trusted' | undefined {
  const final: unknown = Array.isArray(value) ? value.at(-1) : value;
  return final === 'untrusted' || final === 'trusted' ? final : undefined;
}

function wordsOf(values: Values): string[] {
  return ((values['--'] as unknown[] | undefined) ?? []).map(String);
}
