import type { Logger, ProgramRunner, TunMode } from '@viassh/core';
import { checkConflicts, checkKept } from './check-conflicts.ts';
import { exclusive } from './exclusive.ts';
import { createIpProgram } from './ip-program.ts';
import { createJournal } from './journal.ts';
import { LinkSetting } from './link-setting.ts';
import { type NameServers, createNameServers } from './name-servers.ts';
import { recoverLinks } from './recover-links.ts';

/** An address of the device and, between two ends, the other one's. */
export interface PlannedAddress {
  readonly local: string;
  readonly remote?: string | undefined;
  /** Bits of the network's part; 32 or 128 between two ends. */
  readonly prefix: number;
}

/** A name that must mean this address while the link stands, whatever the name servers of the link say, or do not. */
export interface PinnedName {
  readonly name: string;
  readonly address: string;
}

/** All that this machine's network should be, because of one link. */
export interface LinkPlan {
  readonly device: string;
  readonly mode: TunMode;
  /** Bytes; undefined: as it is. */
  readonly mtu?: number | undefined;
  readonly addresses: readonly PlannedAddress[];
  /** Networks behind the link: `10.1.0.0/16`, an address, or `default`: all, of each family that the link has an address of. */
  readonly routes?: readonly string[] | undefined;
  readonly dns?: readonly string[] | undefined;
  /**
   * What becomes of traffic for `routes` while the link is down: it has no way out (`block`), not even when this process was
   * killed, until the next start; or the way that it had before (`pass`). With `block`, `default` means both families: the
   * one that the link does not have goes nowhere.
   */
  readonly onDown: 'block' | 'pass';
  /** Addresses that never go by the link: those of the ssh connection that carries it. */
  readonly keep?: readonly string[] | undefined;
  /** Names that the ssh connection is found by when it has to be made again. */
  readonly names?: readonly PinnedName[] | undefined;
}

/** Of a plan, what can be looked at before there is a device. */
export interface AddressPlan extends Pick<LinkPlan, 'addresses'> {
  /** The one that may have them already; undefined: it has yet to be made. */
  readonly device?: string | undefined;
}

/** The settings of one link. Its dispose takes all of them back, whatever became of the device; it never rejects. */
export interface NetworkLink extends AsyncDisposable {
  /**
   * Makes it so, from whatever it was; what is right already is not touched, so that connections through the link survive.
   * When it rejects, what this call had set is taken back.
   *
   * @throws ViasshError ADDRESS_CONFLICT, TUN_FORBIDDEN, NETWORK_SETUP_FAILED, OPTION_INVALID, PROGRAM_NOT_FOUND
   */
  set(plan: LinkPlan): Promise<void>;
  /** The link carries nothing, or does again. With `pass`, routes and name servers go and come. Same errors as `set`. */
  setCarrying(carrying: boolean): Promise<void>;
  /**
   * Finds the ways of the kept addresses anew, of `addresses` instead when they are given: to be called before the ssh
   * connection is made again, as this machine may be in another network. What has no way
   * then cannot be reached, and does not go by the link. Same errors as `set`.
   */
  keep(addresses?: readonly string[]): Promise<void>;
}

/** Addresses, routes and name servers for links. */
export interface LinkNetwork {
  /** Takes back what links of processes that were killed left in this network namespace; gives their number. {@link link} does it first. */
  recover(): Promise<number>;
  /**
   * Looks whether a link could have these addresses: to be asked before the far end is, as that end's way to this machine may
   * be cut by one that is in use here. `keep`: addresses that the other end cannot have, those of the ssh connection.
   *
   * @throws ViasshError ADDRESS_CONFLICT
   */
  check(plan: AddressPlan, keep: readonly string[]): Promise<void>;
  /** Same errors as {@link NetworkLink.set}. */
  link(plan: LinkPlan): Promise<NetworkLink>;
}

/** What it works with. */
export interface LinkNetworkOptions {
  readonly programs: ProgramRunner;
  readonly log: Logger;
  /** A folder of our own for what is to be undone by the next start; is made. Default: one for each user. */
  readonly stateFolder?: string | undefined;
}

/** How all parts of it reach the machine. */
export interface NetworkTools {
  readonly ip: ReturnType<typeof createIpProgram>;
  readonly journal: ReturnType<typeof createJournal>;
  readonly nameServers: NameServers;
  readonly log: Logger;
}

/** Sets up networks by the program `ip`, as root or with CAP_NET_ADMIN. Several links may stand at once. */
export function createLinkNetwork({ programs, log, stateFolder }: LinkNetworkOptions): LinkNetwork {
  const tools: NetworkTools = {
    ip: createIpProgram(programs),
    journal: createJournal(stateFolder),
    nameServers: createNameServers(programs, log),
    log,
  };
  return {
    recover: () => exclusive(() => recoverLinks(tools)),
    check: (plan, keep) =>
      exclusive(async () => {
        try {
          await checkConflicts(tools.ip, plan);
        } catch {
          await recoverLinks(tools); // what is in the way may be of a process that was killed
          await checkConflicts(tools.ip, plan);
        }
        checkKept(plan, keep);
      }),
    async link(plan) {
      await exclusive(() => recoverLinks(tools));
      const setting = new LinkSetting(tools);
      await setting.set(plan);
      return setting;
    },
  };
}
