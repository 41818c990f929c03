import type { ConnectionInfo, Logger, ProgramRunner, TunMode } from '@viassh/core';
import type { LinkAddress } from '../carrier/packet-carrier.ts';
import { HostWays } from './host-ways.ts';

/** What this machine's network is to have while a link is up. */
export interface NearNetworkSetup {
  readonly device: string;
  readonly mode: TunMode;
  readonly mtu: number;
  readonly addresses: readonly LinkAddress[];
  /** Networks as `10.0.0.0/8`, or `default`. */
  readonly routes: readonly string[];
  readonly nameServers: readonly string[];
  readonly onDown: 'block' | 'pass';
  /** Addresses and host names that never go by the link. */
  readonly keep: readonly string[];
  /** What carries the link: it never goes by the link itself, and can be found again. */
  readonly connection?: ConnectionInfo | undefined;
}

/** Addresses, routes and name servers of one link here; all is undone when it is disposed. */
export interface NearNetwork extends AsyncDisposable {
  /**
   * Looks whether these addresses can be had, before the far end is asked for them. `device`: the one that may have them.
   *
   * @throws ViasshError ADDRESS_CONFLICT
   */
  check(addresses: readonly LinkAddress[], device: string | undefined): Promise<void>;
  /**
   * Sets it, or changes it to this. The ssh connections of this process keep the way that they have, as does `connection`.
   *
   * @throws ViasshError ADDRESS_CONFLICT, NETWORK_SETUP_FAILED, TUN_FORBIDDEN, OPTION_INVALID for a name that nobody knows
   */
  set(setup: NearNetworkSetup): Promise<void>;
  /** The link is down: the policy for its routes holds until the next `set`. */
  linkDown(): Promise<void>;
  /** The ssh connection is about to be made again, maybe from another network: its way is found anew. Never rejects. */
  findWaysAgain(): Promise<void>;
}

/** What it works with. */
export interface NearNetworkOptions {
  readonly programs: ProgramRunner;
  readonly log: Logger;
  /** Where it is noted what the next start has to undo; default: one for each user. */
  readonly stateFolder: string | undefined;
}

/**
 * Undoes what links of processes that are gone have left behind: before anything is dialled, as their routes may be in the way.
 *
 * @throws ViasshError NETWORK_SETUP_FAILED
 */
export async function recoverNearNetwork(options: NearNetworkOptions): Promise<void> {
  const { createLinkNetwork } = await import('@viassh/linux');
  await createLinkNetwork(options).recover();
}

/** The network of this machine; undoes what links of processes that are gone have left behind. */
export async function openNearNetwork({ programs, log, stateFolder }: NearNetworkOptions): Promise<NearNetwork> {
  const { createLinkNetwork, ownConnections } = await import('@viassh/linux');
  const network = createLinkNetwork({ programs, log, stateFolder });
  const hosts = new HostWays();
  let link: Awaited<ReturnType<typeof network.link>> | undefined;
  return {
    check: async (addresses, device) => await network.check({ addresses, device }, await ownConnections()),
    set: async ({ nameServers, keep: kept, connection, ...setup }) => {
      const own = await ownConnections(connection?.wireProcess === undefined ? [] : [connection.wireProcess]);
      const takesOver = setup.routes.length + nameServers.length > 0;
      const { keep, names } = takesOver ? await hosts.find(kept, connection, own) : { keep: own, names: [] };
      if (own.length === 0 && connection !== undefined && setup.routes.includes('default'))
        log.warning(
          'the ssh connection is no TCP connection of viassh that can be seen: where it leaves this machine by another program, --keep-route has to name the host that this one speaks to',
        );
      const plan = { ...setup, dns: nameServers, keep, names };
      if (link === undefined) link = await network.link(plan);
      else await link.set(plan);
      await link.setCarrying(true);
    },
    linkDown: async () => await link?.setCarrying(false),
    findWaysAgain: async () => {
      try {
        await link?.keep();
      } catch (error) {
        log.warning(`the way of the ssh connection: ${error instanceof Error ? error.message : String(error)}`);
      }
    },
    [Symbol.asyncDispose]: async () => await link?.[Symbol.asyncDispose](),
  };
}
