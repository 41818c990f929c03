import { abortedError, type Capability, type Connection, type HandOverSession } from '@viassh/core';
import { openConnection, planConnection } from '../library/open-connection.ts';
import type { CommandContext } from './command-context.ts';
import { type CommandWishes, requestForCommand } from './open-for-command.ts';

/**
 * Has `run` work on a connection where the transport can do all that is needed; where it lacks some of it, `handOver` is
 * given its own process. The standard streams are opened by us in the first case alone.
 *
 * @throws ViasshError of planning and of connecting; what the two throw; ABORTED
 */
export async function openOrHandOver<T>(
  context: CommandContext,
  destination: string,
  needs: readonly Capability[],
  wishes: CommandWishes,
  run: (connection: Connection) => Promise<T>,
  handOver: (session: HandOverSession) => Promise<T>,
): Promise<T> {
  const { environment, globals, log, signal } = context;
  const request = await requestForCommand(context, destination, needs, { ...wishes, handsOver: true });
  const plan = await planConnection(environment, request, true);
  const { transport, reason } = plan.selection;
  if (needs.every((need) => transport.capabilities.has(need)))
    return await run(await openConnection(environment, request, plan));
  request.onRoute?.(plan.route);
  log.info(`transport ${transport.name}, its own ssh: ${reason}`);
  const stdin = globals.noStdin ? 'ignore' : 'inherit';
  const result = await handOver(async (session, asked) => {
    const handed = await transport.handOver?.(plan.route, session, [stdin, 'inherit', 'inherit'], {
      ...asked,
      log,
      signal,
    });
    return handed ?? { kind: 'missing' };
  });
  // ssh was ended for us: what ended us counts, and not how it took that.
  if (signal.aborted) throw abortedError(signal.reason);
  return result;
}
