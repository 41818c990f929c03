import type { PluginRegistry } from '@viassh/core';
import type { Argv } from 'yargs';
import type { Letters } from '../arguments/normalize-argv.ts';
import type { TakeCommand } from '../arguments/program-commands.ts';

type Values = Readonly<Record<string, unknown>>;

const namesHelp = {
  type: 'string',
  array: true,
  describe: 'tunnels of the configuration; none: all that are not manual',
} as const;

/** `up`, `down`, `status`, `logs` and `reload`: the broker, and the tunnels of the configuration file. */
export function addBrokerCommands(parser: Argv, take: TakeCommand, plugins: PluginRegistry, version: string): void {
  parser
    .command(
      'up [names..]',
      'bring up the tunnels of the configuration file, and stay: one login for all of them and for other commands',
      (own) =>
        own
          .positional('names', namesHelp)
          .option('background', { type: 'boolean', describe: '-f return once all stands, and leave it behind' })
          .option('pid-file', {
            type: 'string',
            requiresArg: true,
            describe: 'FILE has the process id as long as it runs',
          })
          .option('until-idle', {
            type: 'boolean',
            describe: 'end when nothing has ridden on it for a while; tunnels that are not named stay down',
          })
          .usage('$0 up [NAME...] [-f] [--pid-file FILE]')
          .example('$0 up', 'for systemd: in front, until a signal comes or viassh down'),
      (values: Values) =>
        take(values, async (context) => {
          const { runUp } = await import('./run-up.ts');
          const pidFile = values['pid-file'];
          return await runUp(context, plugins, {
            names: namesOf(values),
            background: values['background'] === true,
            pidFile: typeof pidFile === 'string' ? pidFile : undefined,
            untilIdle: values['until-idle'] === true,
            version,
          });
        }),
    )
    .command(
      'down [names..]',
      'take tunnels down; without a name all of them, and the broker ends',
      (own) => own.positional('names', namesHelp).usage('$0 down [NAME...]'),
      (values: Values) => take(values, async (context) => await (await commands()).runDown(context, namesOf(values))),
    )
    .command(
      'status [names..]',
      'how tunnels and their connections stand',
      (own) =>
        own
          .positional('names', namesHelp)
          .option('watch', { type: 'boolean', describe: 'again each second, with what passes in it' })
          .usage('$0 status [NAME...] [--watch] [--json]'),
      (values: Values) =>
        take(
          values,
          async (context) =>
            await (await commands()).runStatus(context, { names: namesOf(values), watch: values['watch'] === true }),
        ),
    )
    .command(
      'logs [name]',
      'what tunnels, or one of them, have said',
      (own) =>
        own
          .positional('name', { type: 'string', describe: 'a tunnel; none: all, and the broker' })
          .option('follow', { type: 'boolean', describe: '-f go on with what comes' })
          .usage('$0 logs [NAME] [-f]'),
      (values: Values) =>
        take(values, async (context) => {
          const { name, follow } = values;
          const { runLogs } = await commands();
          return await runLogs(context, { name: typeof name === 'string' ? name : undefined, follow: follow === true });
        }),
    )
    .command(
      'reload',
      'read the configuration file again; only what has changed is touched',
      (own) => own.usage('$0 reload'),
      (values: Values) => take(values, async (context) => await (await commands()).runReload(context)),
    );
}

/** The letters of these commands' own options. */
export const brokerLetters: Readonly<Record<string, Letters>> = {
  up: { f: { name: 'background', takesValue: false } },
  logs: { f: { name: 'follow', takesValue: false } },
};

function commands(): Promise<typeof import('./broker-commands.ts')> {
  return import('./broker-commands.ts');
}

function namesOf(values: Values): readonly string[] {
  return ((values['names'] as readonly unknown[] | undefined) ?? []).map(String);
}
