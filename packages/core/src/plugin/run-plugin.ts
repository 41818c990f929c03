import type { Connection } from '../connection/connection.ts';
import type { ExitStatus } from '../connection/exit-status.ts';
import { ViasshError } from '../errors/viassh-error.ts';
import type { LocalContext, PreparedPlugin } from './plugin.ts';

/**
 * Runs a prepared plugin on a connection of its own and closes the connection whatever happens.
 *
 * @throws ViasshError of the plugin; CONNECTION_LOST; CAPABILITY_MISSING.
 */
export async function runPlugin(
  plugin: Pick<PreparedPlugin, 'name' | 'needs' | 'run'>,
  connection: Connection,
  context: LocalContext,
): Promise<ExitStatus> {
  await using owned = connection;
  const missing = plugin.needs.filter((need) => !owned.capabilities.has(need));
  if (missing.length > 0) throw new ViasshError('CAPABILITY_MISSING', `${plugin.name} needs ${missing.join(', ')}`);
  return await plugin.run({ ...context, connection: owned });
}
