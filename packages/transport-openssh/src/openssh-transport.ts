import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import {
  type Availability,
  type Capability,
  type ConnectOptions,
  type Connection,
  destinationOf,
  nobodyToAsk,
  type ProgramRunner,
  readKnownHosts,
  type Route,
  type Transport,
  ViasshError,
} from '@viassh/core';
import { handOver } from './hand-over.ts';
import { masterForwards } from './forward/master-forwards.ts';
import type { MasterOptions } from './master/private-master.ts';
import { type RouteMasters, startRouteMasters } from './master/route-masters.ts';
import { atLeast, type SshVersion, sshVersion } from './master/ssh-version.ts';
import { openMuxProxy } from './mux/open-mux-proxy.ts';
import { OpensshConnection } from './openssh-connection.ts';

/** What the transport needs from its surroundings. */
export interface OpensshTransportOptions {
  readonly programs: ProgramRunner;
  /** Private folders are made below it; default: one for this user in the system's temporary folder. */
  readonly runtimeFolder?: string | undefined;
  /** The ssh binary; default `ssh` from PATH. */
  readonly sshFile?: string | undefined;
}

const always: readonly Capability[] = [
  'exec',
  'shell',
  'subsystem',
  'pty',
  'env',
  'signal',
  'exit-signal',
  'direct-tcpip',
  'direct-streamlocal',
  'forwarded-tcpip',
  'forwarded-streamlocal',
  'tun',
];

/**
 * The transport on the user's own OpenSSH (≥ 7.4): a private master does keys, agents, configuration and host keys; every
 * channel is opened by us over the master's mux proxy mode.
 */
export function createOpensshTransport({
  programs,
  runtimeFolder = join(tmpdir(), `viassh-${userInfo().uid}`),
  sshFile = 'ssh',
}: OpensshTransportOptions): Transport {
  let found: Promise<SshVersion | undefined> | undefined;
  const version = async (): Promise<SshVersion | undefined> => {
    found ??= sshVersion(programs, sshFile);
    try {
      return await found;
    } catch (error) {
      found = undefined; // a machine that was busy may have room the next time
      throw error;
    }
  };
  const capabilities: ReadonlySet<Capability> = new Set([...always, 'custom-host-key-verifier']);
  return {
    name: 'openssh',
    asksItself: true,
    capabilities,
    available: async () => availability(await version(), sshFile),
    connect: (route, options) => connect(route, options),
    handOver: (route, request, stdio, options) =>
      handOver(route, request, stdio, { ...options, programs, runtimeFolder, sshFile }),
  };

  async function connect(route: Route, options: ConnectOptions): Promise<Connection> {
    if (options.verifyHostKey.kind === 'custom') checkCustomVerifier(await version());
    else await Promise.all(route.hops.map((hop) => readKnownHosts(hop)));
    const who = await whoAnswers(options.authenticate);
    const start = (signal: AbortSignal | undefined): Promise<RouteMasters> =>
      startRouteMasters(route, { ...options, ...who, signal, programs, runtimeFolder, sshFile });
    const master = await start(options.signal);
    try {
      const proxy = await openMuxProxy(master.socketPath);
      return new OpensshConnection(master, proxy, destinationOf(route), capabilities, {
        spareSession: options.spareSession,
        forwards: masterForwards,
        renew: start,
        log: options.log,
      });
    } catch (error) {
      await master.stop();
      throw error;
    }
  }

  /** An ssh that cannot be made to ask a program can still be made to ask nobody. */
  async function whoAnswers(
    authenticate: ConnectOptions['authenticate'],
  ): Promise<Pick<MasterOptions, 'authenticate' | 'asksNobody'>> {
    if (authenticate === undefined || atLeast(await version(), 8, 4)) return { authenticate };
    if (authenticate === nobodyToAsk) return { authenticate: undefined, asksNobody: true };
    throw cannotAsk(await version());
  }
}

function checkCustomVerifier(ssh: SshVersion | undefined): void {
  if (atLeast(ssh, 8, 5)) return;
  throw new ViasshError(
    'CAPABILITY_MISSING',
    `${ssh?.name} cannot ask for a decision on host keys: that takes OpenSSH 8.5`,
    { hint: 'use --transport ssh2' },
  );
}

function cannotAsk(ssh: SshVersion | undefined): ViasshError {
  return new ViasshError(
    'SETTING_UNSUPPORTED',
    `${ssh?.name} cannot be made to ask a program: that takes OpenSSH 8.4`,
    {
      hint: 'use --transport ssh2, or leave the authenticator away: ssh then asks on the terminal',
    },
  );
}

function availability(version: SshVersion | undefined, sshFile: string): Availability {
  if (version === undefined) return { ok: false, reason: `no OpenSSH client (${sshFile}) is found` };
  if (!atLeast(version, 7, 4)) return { ok: false, reason: `${version.name} is older than 7.4` };
  return { ok: true, detail: `${version.name} is here, with your keys, agents and configuration` };
}
