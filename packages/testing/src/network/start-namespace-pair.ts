import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunningProgram } from '@viassh/core';
import { descendantsOf, killAll, listProcesses } from '../processes/processes.ts';
import { waitUntil } from '../processes/wait-until.ts';
import { findProgram, findSshd, missingForSshd } from '../sshd/find-sshd.ts';
import type { Sshd, SshdOptions } from '../sshd/sshd.ts';
import { startSshd } from '../sshd/start-sshd.ts';
import { missingForPrivateNetwork, type PrivateNetwork, startPrivateNetwork } from './private-network.ts';

/**
 * Two machines on a cable, of which the far one has an sshd that is dialled, at 198.18.99.1: the near one's default route
 * leads there. The far one is 10.88.0.1 and fd88::1, too, for what comes through a link: on the cable it refuses them.
 */
export interface NamespacePair extends AsyncDisposable {
  /** Where the near end belongs: 198.18.78.1 and fd78::1 on `cable`, default route to the far one. */
  readonly near: PrivateNetwork;
  /** 198.18.78.2 and fd78::2 on `cable`. */
  readonly far: PrivateNetwork;
  /** Its listener is in `far`, on port 22 of every address, with PermitTunnel. `configFile` is good in `near` alone. */
  readonly sshd: Sshd;
  /** A destination of `sshd.configFile` that logs in as root, where `sshd.destination` is a user. */
  readonly rootDestination: string;
  /** Kills the processes that serve connections, and what they run, in the middle of what they do; the listener stays. */
  cut(): Promise<void>;
  /** Kills the listener too: nobody answers until `listen`. */
  stop(): Promise<void>;
  /** Starts the listener again. */
  listen(): Promise<void>;
}

const behindTheLink = `table inet behind {
  chain input {
    type filter hook input priority 0;
    iifname "cable" ip daddr 10.88.0.0/16 reject
    iifname "cable" ip6 daddr fd88::/16 reject
  }
}
`;

/** The reason why {@link startNamespacePair} cannot work here, for tap's `skip`; undefined when it can. */
export async function missingForNamespacePair(): Promise<string | undefined> {
  const missing = (await missingForPrivateNetwork()) ?? (await missingForSshd());
  if (missing !== undefined) return missing;
  if ((await findProgram('nft', ['/usr/sbin', '/sbin'])) === undefined)
    return 'no nft on this machine (Debian: apt-get install nftables)';
  return undefined;
}

/**
 * Makes them. Nothing of it is left once this process has ended, however that was, but for the scratch user that
 * {@link startSshd} makes.
 *
 * @throws Error when something does not come up; ask {@link missingForNamespacePair} first
 */
export async function startNamespacePair(
  options: Omit<SshdOptions, 'mode' | 'networkNamespace'> = {},
): Promise<NamespacePair> {
  await using undo = new AsyncDisposableStack();
  // First, so that the copies of /etc know its user.
  const sshd = undo.use(
    await startSshd({
      ...options,
      config: [...(options.config ?? []), 'PermitTunnel yes', 'AddressFamily any', 'Port 22'],
      clientConfig: [...(options.clientConfig ?? []), 'HostName 198.18.99.1', 'Port 22', 'ProxyCommand none'],
    }),
  );
  const rootDestination = `root-${sshd.destination}`;
  const client = await readFile(sshd.configFile, 'utf8');
  await appendFile(sshd.configFile, client.replace(/^Host .*$/m, `Host ${rootDestination}\n  User root`));
  const [near, far] = await Promise.all([startPrivateNetwork(), startPrivateNetwork()]);
  undo.use(near);
  undo.use(far);
  await near.run('ip', ['link', 'add', 'cable', 'type', 'veth', 'peer', 'name', 'cable', 'netns', `${far.pid}`]);
  for (const [network, number] of [
    [near, 1],
    [far, 2],
  ] as const) {
    const other = 3 - number;
    const lines = [
      `address add 198.18.78.${number}/24 dev cable`,
      `address add fd78::${number}/64 dev cable nodad`,
      // A link-local address that is given once and for all: the kernel's own would come a moment later.
      'link set cable addrgenmode none',
      'link set cable up',
      `address add fe80::${number}/64 dev cable nodad`,
      ...(network === near
        ? [`route add default via 198.18.78.${other}`, `-6 route add default via fd78::${other}`]
        : ['198.18.99.1/32', '10.88.0.1/32', 'fd88::1/128'].map((own) => `address add ${own} dev lo`)),
    ];
    for (const line of lines) await network.run('ip', line.split(' '));
  }
  await far.run('nft', ['-f', '-'], behindTheLink);
  await far.run('sh', ['-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding']);
  const program = (await findSshd())?.file ?? 'sshd';
  const logFile = join(sshd.folder, 'sshd.log');
  let listener: RunningProgram | undefined;
  const listen = async (): Promise<void> => {
    const before = (await sshd.log()).length;
    const args = ['-D', '-f', join(sshd.folder, 'sshd_config'), '-E', logFile];
    listener = await far.serve(program, args);
    await waitUntil('sshd to listen', async () =>
      (await sshd.log()).slice(before).includes('Server listening on 0.0.0.0'),
    );
  };
  await listen();
  const owned = undo.move();
  return {
    near,
    far,
    sshd,
    rootDestination,
    listen,
    cut: () => killAll(async () => descendantsOf(listener?.pid ?? -1, await listProcesses())),
    stop: () => sshd.kill(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
