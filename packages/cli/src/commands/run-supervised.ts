import {
  type Connection,
  destinationOf,
  type ExitStatus,
  type LocalContext,
  type PreparedPlugin,
  type Route,
  runPlugin,
  supervise,
  supervisedConnection,
} from '@viassh/core';
import type { Residence } from '../background/resident-options.ts';
import type { CommandContext } from './command-context.ts';
import { openForCommand } from './open-for-command.ts';

/**
 * Runs a plugin that stays on a connection that is kept up: once it was up, a loss that may pass is no end. It ends as the
 * plugin does, and with the failure that nobody may retry.
 *
 * @throws ViasshError of the plugin; of the first attempt; ABORTED
 */
export async function runSupervised(
  context: CommandContext,
  prepared: PreparedPlugin,
  destination: string,
  local: LocalContext,
  { keepTrying, wait }: Pick<Residence, 'keepTrying' | 'wait'>,
): Promise<ExitStatus> {
  const { log, signal } = context;
  const { needs, keepalive } = prepared;
  let settings: LocalContext['settings'];
  const onRoute = (route: Route): void => void (settings = destinationOf(route).raw);
  const connect = async (attempt: AbortSignal): Promise<Connection> =>
    await openForCommand({ ...context, signal: attempt }, destination, needs, {
      keepalive,
      onRoute,
      lease: false,
      spareSession: true, // the OpenSSH transport can probe on a session alone
    });
  // Without the signal: what the plugin has set up on the far end is taken down before the connection goes.
  await using supervisor = supervise(connect, { log, keepTrying });
  using _nudged = context.nudges?.onNudge((name) => supervisor.retryNow(name));
  await supervisor.current({ signal });
  // The sshd behind a master of the user's own serves others, too.
  const evict = context.globals.control === undefined;
  const connection = supervisedConnection(supervisor, { log, evict, waitMs: wait * 1000 });
  return await runPlugin(prepared, connection, { ...local, settings, supervisor });
}
