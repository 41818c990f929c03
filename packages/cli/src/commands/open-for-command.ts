import type { Capability, Connection } from '@viassh/core';
import { typedOptions } from '../arguments/typed-options.ts';
import { withUsualOptions } from '../arguments/usual-options.ts';
import type { Environment } from '../environment.ts';
import { openConnection, type OpenRequest } from '../library/open-connection.ts';
import { terminalAuthenticator } from '../terminal/terminal-authenticator.ts';
import type { CommandContext } from './command-context.ts';

/** The connection of one command run. */
export async function openForCommand(
  context: CommandContext,
  destination: string,
  needs: readonly Capability[],
  {
    keepalive = false,
    lease = true,
    onRoute,
    spareSession = false, // one command runs over it
  }: Pick<OpenRequest, 'keepalive' | 'lease' | 'onRoute' | 'spareSession'> = {},
): Promise<Connection> {
  const { environment, log, signal } = context;
  const globals = await withUsualOptions(context.globals, environment.variables);
  return await openConnection(environment, {
    destination,
    typed: typedOptions(globals, context.usualProxy),
    transport: globals.transport,
    control: globals.control,
    needs,
    keepalive,
    lease: lease && !globals.noBroker && environment.variables['VIASSH_BROKER'] !== 'no',
    usualProxy: context.usualProxy,
    onRoute,
    log,
    signal,
    spareSession,
    ...whomToAsk(context, environment),
  });
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
