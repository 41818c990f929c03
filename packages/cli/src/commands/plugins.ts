import { exitCodeOf, type PluginRegistry, type ProgramRunner, type RemoteShellProgramEntry } from '@viassh/core';
import { builtinPrograms } from '../builtin.ts';
import { remoteShellFile } from '../installation.ts';
import { findInPath } from '../programs/find-in-path.ts';
import type { CommandContext } from './command-context.ts';
import { writeTable } from './write-table.ts';

const LONGEST_ANSWER_MS = 2000;

/** `viassh plugins`: what is installed and what each needs, and the transports with what this machine has for them. */
export async function runPlugins(
  { environment, globals, signal, stdout }: CommandContext,
  registry: PluginRegistry,
): Promise<number> {
  const look = async (entry: RemoteShellProgramEntry): Promise<ProgramFound> =>
    await lookForProgram(entry, environment.programs, environment.variables, signal);
  const [plugins, programs, transports] = await Promise.all([
    Promise.all(
      registry.entries.map(async ({ name, summary }) => {
        const plugin = await registry.load(name);
        const { mayNeed } = plugin;
        if (mayNeed !== undefined) return { name, summary, mayNeed };
        return { name, summary, needs: plugin.prepare({}, []).needs };
      }),
    ),
    Promise.all(builtinPrograms.map(look)),
    Promise.all(
      environment.transports.map(async (entry) => {
        const availability = await (await entry.load()).available();
        return {
          name: entry.name,
          usable: availability.ok,
          detail: availability.ok ? availability.detail : availability.reason,
        };
      }),
    ),
  ]);
  if (globals.json) stdout.write(`${JSON.stringify({ plugins, programs, transports }, null, 2)}\n`);
  else {
    const rows: [string, string][] = plugins.map(({ name, summary, needs, mayNeed = [] }) => [
      name,
      `${summary} (${needs === undefined ? `may need ${mayNeed.join(', ')}` : `needs ${needs.join(', ')}`})`,
    ]);
    writeTable(stdout, rows);
    stdout.write('\nprograms:\n');
    writeTable(
      stdout,
      programs.map((program) => [program.name, describe(program)]),
    );
    stdout.write('\ntransports:\n');
    writeTable(
      stdout,
      transports.map(({ name, usable, detail }) => [name, `${usable ? 'ok' : 'no'}: ${detail}`]),
    );
  }
  return 0;
}

/** A program that viassh starts, and what this machine has of it. */
interface ProgramFound {
  readonly name: string;
  readonly summary: string;
  /** The program that is started. */
  readonly needs: string;
  readonly installed: boolean;
  /** Absent where the program does not tell. */
  readonly version?: string | undefined;
}

async function lookForProgram(
  entry: RemoteShellProgramEntry,
  programs: ProgramRunner,
  variables: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<ProgramFound> {
  const program = await entry.load();
  const { name, summary } = program;
  // A call may refuse to go with options; which file it is does not hang on them.
  const needs = program.call([], { path: remoteShellFile }, { ...variables, VIASSH_SSH_OPTIONS: undefined }).file;
  const file = findInPath(needs, variables);
  const version = file === undefined ? undefined : await versionOf(file, programs, signal);
  return { name, summary, needs, installed: file !== undefined, ...(version === undefined ? {} : { version }) };
}

/** From the first line with a number of that form; scp and sftp know no `--version` and have none. */
async function versionOf(file: string, programs: ProgramRunner, signal: AbortSignal): Promise<string | undefined> {
  const within = AbortSignal.any([signal, AbortSignal.timeout(LONGEST_ANSWER_MS)]);
  const output = await programs.run({ file, args: ['--version'], signal: within }).catch(() => undefined);
  if (output === undefined || exitCodeOf(output.exit) !== 0) return undefined;
  return /\b\d+(?:\.\d+)+\w*/.exec(`${output.stdout}\n${output.stderr}`)?.[0];
}

function describe({ summary, needs, installed, version }: ProgramFound): string {
  const state = installed
    ? `${needs}${version === undefined ? '' : ` ${version}`} is there`
    : `${needs} is not installed`;
  return `${summary} (${state})`;
}
