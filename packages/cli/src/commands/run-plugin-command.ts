import { Readable } from 'node:stream';
import { exitCodeOf, type Plugin, runPlugin, ViasshError } from '@viassh/core';
import type { CommandContext } from './command-context.ts';
import { openForCommand } from './open-for-command.ts';

/** Runs a plugin on a connection of its own; the far end's exit status is the exit code. */
export async function runPluginCommand(
  context: CommandContext,
  plugin: Plugin,
  destination: string,
  raw: Readonly<Record<string, unknown>>,
  words: readonly string[],
): Promise<number> {
  const { environment, globals, log, signal } = context;
  const prepared = plugin.prepare(raw, words);
  const connection = await openForCommand(context, destination, prepared.needs);
  const stdio = {
    input: globals.noStdin ? Readable.from([]) : context.stdin,
    output: context.stdout,
    error: context.stderr,
  };
  const exit = await runPlugin(prepared, connection, { stdio, programs: environment.programs, signal, log });
  if (exit.kind === 'missing')
    throw new ViasshError('EXIT_STATUS_MISSING', 'the server never said how the remote command ended');
  return exitCodeOf(exit);
}
