import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access } from 'node:fs/promises';
import process from 'node:process';
import type { TunMode } from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { atExit } from '../processes/at-exit.ts';
import { findProgram, missingForSshd } from '../sshd/find-sshd.ts';
import type { Sshd, SshdOptions } from '../sshd/sshd.ts';
import { startSshd } from '../sshd/start-sshd.ts';

/** A device of the fixture: its unit, what the kernel answers to on it, and who we may be there. */
export interface TunDevice {
  readonly unit: number;
  readonly ipv4: string;
  readonly ipv6: string;
  readonly ourIpv4: string;
  readonly ourIpv6: string;
}

/** An sshd in a network namespace of its own, with devices that its user may open without being root. */
export interface TunServer extends AsyncDisposable {
  /** In inetd mode: it is reached by ProxyCommand alone. */
  readonly sshd: Sshd;
  readonly namespace: string;
  readonly devices: Readonly<Record<TunMode, TunDevice>>;
}

const devices: Readonly<Record<TunMode, TunDevice>> = {
  'point-to-point': {
    unit: 7,
    ipv4: '198.18.7.1',
    ipv6: 'fd98:7::1',
    ourIpv4: '198.18.7.2',
    ourIpv6: 'fd98:7::2',
  },
  ethernet: { unit: 8, ipv4: '198.18.8.1', ipv6: 'fd98:8::1', ourIpv4: '198.18.8.2', ourIpv6: 'fd98:8::2' },
};

/** The reason why {@link startTunServer} cannot work here, for tap's `skip`; undefined when it can. */
export async function missingForTun(): Promise<string | undefined> {
  const sshd = await missingForSshd();
  if (sshd !== undefined) return sshd;
  if (process.getuid?.() !== 0) return 'network namespaces and tun devices need root';
  if ((await findProgram('ip', ['/usr/sbin', '/sbin'])) === undefined)
    return 'no ip (Debian: apt-get install iproute2)';
  const there = await access('/dev/net/tun').then(
    () => true,
    () => false,
  );
  return there ? undefined : 'no /dev/net/tun on this machine';
}

/**
 * Starts an sshd that has the two devices. Their namespace, and so all that was done in it, goes with the dispose.
 *
 * @throws Error when something is missing (ask {@link missingForTun} first).
 */
export async function startTunServer(options: Omit<SshdOptions, 'mode' | 'networkNamespace'> = {}): Promise<TunServer> {
  await using undo = new AsyncDisposableStack();
  const namespace = `vt${process.pid}x${randomBytes(4).toString('hex')}`;
  await ip('netns', 'add', namespace);
  const forget = atExit(() => void execFileSync('ip', ['netns', 'del', namespace], { stdio: 'ignore' }));
  undo.defer(async () => {
    await ip('netns', 'del', namespace);
    forget();
  });
  const permission = options.config?.some((line) => /permittunnel/i.test(line)) === true ? [] : ['PermitTunnel yes'];
  const sshd = undo.use(
    await startSshd({
      ...options,
      config: [...(options.config ?? []), ...permission],
      networkNamespace: namespace,
    }),
  );
  await ip('-n', namespace, 'link', 'set', 'lo', 'up');
  for (const [mode, kind] of [
    ['point-to-point', 'tun'],
    ['ethernet', 'tap'],
  ] as const) {
    const { unit, ipv4, ipv6 } = devices[mode];
    const name = `${kind}${unit}`; // sshd's own naming
    await ip('-n', namespace, 'tuntap', 'add', 'dev', name, 'mode', kind, 'user', String(sshd.uid));
    await ip('-n', namespace, 'address', 'add', `${ipv4}/24`, 'dev', name);
    await ip('-n', namespace, 'address', 'add', `${ipv6}/64`, 'dev', name, 'nodad');
    await ip('-n', namespace, 'link', 'set', name, 'up');
  }
  const owned = undo.move();
  return { sshd, namespace, devices, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function ip(...args: string[]): Promise<void> {
  const { exit, stderr } = await createProgramRunner().run({ file: 'ip', args });
  if (exit.kind !== 'status' || exit.code !== 0) throw new Error(`ip ${args.join(' ')} failed: ${stderr}`);
}
