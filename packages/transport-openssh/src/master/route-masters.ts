import { connect } from 'node:net';
import { type HopInfo, type Route, toViasshError, type ViasshError } from '@viassh/core';
import { type MasterOptions, type MasterPlace, type PrivateMaster, startMaster } from './private-master.ts';
import { dialProxyWire } from './proxy-wire.ts';

/** How long a master may take to greet on its control socket before it counts as alive, if busy; milliseconds. */
const GREETING = 1000;

/** The masters of a route, as one: that of the last hop, whose end is the end of any. */
export interface RouteMasters extends PrivateMaster {
  /** From the first that was dialled to the last. */
  readonly hops: readonly HopInfo[];
}

/**
 * Starts a private master for each hop, the next one through the one before, and waits until all are logged in. Each
 * lives by its own configuration, proves its own host key and asks its own questions.
 *
 * @param last what the last of these masters is for, when it is not the last hop of a connection
 * @throws ViasshError what {@link startMaster} throws, naming the hop; what {@link dialProxyWire} throws; PROXY_FAILED,
 * CHANNEL_REFUSED for the way between two hops; CONNECTION_LOST for a hop that is lost meanwhile.
 */
export async function startRouteMasters(
  route: Route,
  options: MasterOptions,
  last: Pick<MasterPlace, 'options' | 'isLast'> = { isLast: true },
): Promise<RouteMasters> {
  const masters: PrivateMaster[] = [];
  const first = await firstWay(route, options);
  for (const [index, hop] of route.hops.entries()) {
    const before = masters.at(-1);
    const role = index === route.hops.length - 1 ? last : { isLast: false };
    const way =
      before === undefined
        ? first
        : { way: { kind: 'through', sshFile: options.sshFile, socketPath: before.socketPath } as const };
    try {
      masters.push(await startMaster(hop, options, { ...way, ...role, before }));
    } catch (error) {
      first.wire?.close();
      const lost = options.signal?.aborted === true ? undefined : await firstLost(masters);
      await stopAll(masters);
      throw lost ?? toViasshError(error);
    }
  }
  return joined(masters);
}

async function firstWay(
  { proxy, hops: [hop] }: Route,
  options: MasterOptions,
): Promise<Pick<MasterPlace, 'way' | 'wire'>> {
  if (proxy === undefined || hop.proxyCommand !== undefined) return { way: { kind: 'direct' } };
  return { way: { kind: 'stdio' }, wire: await dialProxyWire(proxy, hop, options) };
}

function joined(masters: readonly PrivateMaster[]): RouteMasters {
  const last = masters.at(-1) as PrivateMaster;
  const anyEnded = Promise.race(masters.map(({ ended }) => ended));
  return {
    socketPath: last.socketPath,
    sshLog: last.sshLog,
    info: last.info,
    hops: masters.map(({ info }) => info),
    // Those behind a hop that is lost end with it, in whatever order that is seen here: the first one is the reason.
    ended: masters.length === 1 ? last.ended : anyEnded.then(async (error) => (await firstLost(masters)) ?? error),
    stop: () => stopAll(masters),
  };
}

async function stopAll(masters: readonly PrivateMaster[]): Promise<void> {
  for (const master of masters.toReversed()) await master.stop();
}

/** Why the first of those that are gone is gone. */
async function firstLost(masters: readonly PrivateMaster[]): Promise<ViasshError | undefined> {
  for (const master of masters) if (!(await greets(master.socketPath))) return await master.ended;
  return undefined;
}

/** A master that lives says hello to whoever connects to its control socket. One that is ending only closes it. */
async function greets(socketPath: string): Promise<boolean> {
  return await new Promise<boolean>((resolve) => {
    const socket = connect(socketPath);
    const settle = (lives: boolean): void => {
      socket.destroy();
      resolve(lives);
    };
    socket.setTimeout(GREETING, () => settle(true));
    socket
      .once('data', () => settle(true))
      .once('error', () => settle(false))
      .once('close', () => settle(false));
  });
}
