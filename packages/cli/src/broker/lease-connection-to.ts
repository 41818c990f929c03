import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Capability,
  type Connection,
  type Destination,
  formatDestination,
  type Logger,
  parseDestination,
  type Route,
  sshArguments,
  type TypedOptions,
} from '@viassh/core';
import type { Environment } from '../environment.ts';
import { keyOfRoute } from './lease-key.ts';
import { startSharing } from './start-sharing.ts';

const CONTROL_SOCKET = 'control.sock'; // controlSocketName of @viassh/broker, which is not loaded to find that none is there

/** What a command would connect to, and how. */
export interface WantedConnection {
  readonly destination: string | Destination;
  readonly typed: TypedOptions;
  readonly needs: readonly Capability[];
  readonly log: Logger;
  readonly signal?: AbortSignal | undefined;
  /** That of VIASSH_PROXY, where the environment has it no more. */
  readonly usualProxy?: string | undefined;
}

/**
 * A lease of the broker's connection to the same place; undefined where no broker runs, or where it lends none. One that
 * is not there costs one look, and is started for the next command where the configuration wants it (`share: auto`).
 *
 * @throws ViasshError ABORTED
 */
export async function leaseConnectionTo(
  { runtimeFolder, variables }: Pick<Environment, 'runtimeFolder' | 'variables'>,
  { destination, typed, log, signal, needs, usualProxy }: WantedConnection,
  { route, transport }: { readonly route: Route; readonly transport: string },
): Promise<Connection | undefined> {
  const socketPath = join(runtimeFolder, CONTROL_SOCKET);
  const onAbsent = (): void => startSharing({ variables, runtimeFolder, usualProxy });
  if ((await lstat(socketPath).catch(() => undefined)) === undefined) {
    onAbsent();
    return undefined;
  }
  const { leaseFromBroker } = await import('@viassh/broker');
  const parsed = typeof destination === 'string' ? parseDestination(destination) : destination;
  const lent = await leaseFromBroker(
    socketPath,
    {
      ask: 'lease',
      key: await keyOfRoute(route, transport, variables),
      destination: formatDestination({ host: parsed.host }),
      ssh: sshArguments(typed, parsed),
      transport,
    },
    { signal, log, onAbsent, sessionEnv: route.hops.at(-1)?.sessionEnv },
  );
  if (lent === undefined || needs.every((need) => lent.capabilities.has(need))) return lent;
  log.info('the broker lends a connection that cannot do all of this');
  await lent.close();
  return undefined;
}
