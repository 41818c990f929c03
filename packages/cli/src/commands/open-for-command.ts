import type { Capability, Connection } from '@viassh/core';
import { typedOptions } from '../arguments/typed-options.ts';
import { withUsualOptions } from '../arguments/usual-options.ts';
import type { Environment } from '../environment.ts';
import { openConnection, type OpenRequest } from '../library/open-connection.ts';
import { terminalAuthenticator } from '../terminal/terminal-authenticator.ts';
import type { CommandContext } from './command-context.ts';

/** What a command may ask for beside what it needs. */
export type CommandWishes = Pick<OpenRequest, 'handsOver' | 'keepalive' | 'lease' | 'onRoute' | 'spareSession'>;

/** The connection of one command run. */
export async function openForCommand(
  context: CommandContext,
  destination: string,
  needs: readonly Capability[],
  wishes: CommandWishes = {},
): Promise<Connection> {
  return await openConnection(context.environment, await requestForCommand(context, destination, needs, wishes));
}

/** What is to be opened for one command run: what was typed for it, and what the environment says. */
export async function requestForCommand(
  context: CommandContext,
  destination: string,
  needs: readonly Capability[],
  {
    handsOver = false,
    keepalive = false,
    lease = true,
    onRoute,
    spareSession = false, // one command runs over it
  }: CommandWishes = {},
): Promise<OpenRequest> {
  const { environment, log, signal } = context;
  const globals = await withUsualOptions(context.globals, environment.variables);
  return {
    destination,
    typed: typedOptions(globals, context.usualProxy),
    transport: globals.transport,
    control: globals.control,
    needs,
    handsOver,
    keepalive,
    lease: lease && !globals.noBroker && environment.variables['VIASSH_BROKER'] !== 'no',
    usualProxy: context.usualProxy,
    onRoute,
    log,
    signal,
    spareSession,
    ...whomToAsk(context, environment),
  };
}

/**
 * Who answers questions for secrets. In the background ssh must not ask by itself either: it would find the terminal that
 * we have left.
 */
export function whomToAsk(
  { background }: Pick<CommandContext, 'background'>,
  { programs, variables }: Pick<Environment, 'programs' | 'variables'>,
): Pick<OpenRequest, 'authenticate' | 'alwaysAuthenticate'> {
  const hasLeft = background?.hasLeft === true;
  return { authenticate: terminalAuthenticator(programs, variables, hasLeft), alwaysAuthenticate: hasLeft };
}
