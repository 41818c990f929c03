import type { Logger, ProgramRunner, TunMode } from '@viassh/core';
import type { LinkAddress } from '../carrier/packet-carrier.ts';

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
   * Sets it, or changes it to this. The ssh connections of this process keep the way that they have.
   *
   * @throws ViasshError ADDRESS_CONFLICT, NETWORK_SETUP_FAILED, TUN_FORBIDDEN
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
  /** Where it is noted what the next start has to undo. */
  readonly stateFolder: string;
}

/** The network of this machine; undoes what links of processes that are gone have left behind. */
export async function openNearNetwork({ programs, log, stateFolder }: NearNetworkOptions): Promise<NearNetwork> {
  const { createLinkNetwork, ownConnections } = await import('@viassh/linux');
  const network = createLinkNetwork({ programs, log, stateFolder });
  let link: Awaited<ReturnType<typeof network.link>> | undefined;
  return {
    check: async (addresses, device) => await network.check({ addresses, device }, await ownConnections()),
    set: async ({ nameServers, ...setup }) => {
      const plan = { ...setup, dns: nameServers, keep: await ownConnections() };
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
