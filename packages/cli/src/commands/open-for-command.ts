import type { Capability, Connection } from '@viassh/core';
import { typedOptions } from '../arguments/typed-options.ts';
import { openConnection } from '../library/open-connection.ts';
import { terminalAuthenticator } from '../terminal/terminal-authenticator.ts';
import type { CommandContext } from './command-context.ts';

/** The connection of one command run. */
export async function openForCommand(
  context: CommandContext,
  destination: string,
  needs: readonly Capability[],
): Promise<Connection> {
  const { environment, globals, log, signal } = context;
  return await openConnection(environment, {
    destination,
    typed: typedOptions(globals, context.usualProxy),
    transport: globals.transport,
    control: globals.control,
    needs,
    log,
    signal,
    spareSession: false, // one command runs over it
    authenticate: terminalAuthenticator(environment.programs, environment.variables),
  });
}
