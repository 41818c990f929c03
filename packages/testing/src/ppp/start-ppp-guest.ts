import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { type ProgramOutput, quoteCommand } from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { type PrivateNetwork, startPrivateNetwork } from '../network/private-network.ts';
import { waitUntil } from '../processes/wait-until.ts';
import { makeScratchFolder } from '../sshd/scratch-folder.ts';
import { pppGuestFiles } from './find-ppp-guest.ts';

/** Who may log in to the guest: `user` is in the group dip, and pppd is for that group. */
export type PppGuestUser = 'root' | 'user';

/**
 * A machine with a kernel of its own that runs Debian's pppd, with Debian's options. What pap-secrets and chap-secrets say:
 * `testuser`, `testpass`, any address; `alice`, `wonder land`, 10.99.0.7 alone. Behind it, not to be reached but through a link:
 * 10.88.0.1 and fd88::1 with HTTP on port 80 (`/`, and 1 MiB at `/1m`), echo on 7, discard on 9.
 */
export interface PppGuest extends AsyncDisposable {
  /** The network in which the guest is the neighbour: where the near end of a link belongs. */
  readonly network: PrivateNetwork;
  /** The guest's address there. */
  readonly address: string;
  /** For `ssh -F`: `guest` and `guest-user` by a ProxyCommand, from everywhere; `near-guest` and `near-guest-user` by TCP, from `network`. */
  readonly configFile: string;
  /** A program in the guest, to its end. */
  run(command: string, options?: { readonly user?: PppGuestUser; readonly input?: string }): Promise<ProgramOutput>;
  /** The other end of the guest's serial line /dev/ttyS0, raw. Nothing runs on it. */
  readonly serial: Readable & Writable;
  /** What the kernel and the first process said. */
  console(): string;
}

const host = '198.18.77.1';
const address = '198.18.77.2';

/**
 * Boots one, in about two seconds. Nothing of it is left once this process has ended, however that was.
 *
 * @throws Error when it does not come up; ask {@link missingForPppGuest} first
 */
export async function startPppGuest(): Promise<PppGuest> {
  const files = pppGuestFiles();
  if (files === undefined) throw new Error('VIASSH_TEST_UNPACKED is not set');
  await using undo = new AsyncDisposableStack();
  const { path: folder } = undo.use(await makeScratchFolder());
  const network = undo.use(await startPrivateNetwork());
  await network.run(
    'ip',
    ['-batch', '-'],
    `tuntap add tap0 mode tap\naddress add ${host}/24 dev tap0\nlink set tap0 up\n`,
  );
  const kernel = await network.serve(
    files.kernel,
    [
      'mem=128M',
      `initrd=${files.initramfs}`,
      `uml_dir=${folder}`,
      'con=null',
      'con0=null,fd:1',
      'ssl=null',
      'ssl0=fd:3,fd:3',
      'panic=-1',
      'noreboot',
      // Without gro=1 what is sent to the guest in bulk stalls.
      'vec0:transport=tap,ifname=tap0,depth=64,gro=1',
      `guest_address=${address}`,
      `guest_gateway=${host}`,
    ],
    { stdio: ['ignore', 'pipe', 'pipe', 'pipe'], env: { LD_PRELOAD: files.shim } },
  );
  const serial = kernel.descriptor(3);
  if (serial === undefined) throw new Error('the guest has no serial line');
  serial.on('error', () => undefined); // the guest may be gone before it has read everything
  let said = '';
  for (const stream of [kernel.stdout, kernel.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (said += text));
  let ended = false;
  void kernel.exit.then(() => (ended = true));
  undo.defer(() => void serial.destroy());
  const configFile = join(folder, 'ssh_config');
  const hostKey = await readFile(files.hostKeyFile, 'utf8');
  await writeFile(join(folder, 'known_hosts'), `ppp-guest ${hostKey}`);
  const proxy = quoteCommand([...network.inside, 'socat', 'STDIO', `TCP:${address}:22`]);
  await writeFile(configFile, sshConfig(files.identityFile, join(folder, 'known_hosts'), proxy));
  await waitUntil('the guest to be ready', () => ended || said.includes('guest is ready'), { withinMs: 60_000 });
  if (ended) throw new Error(`the guest did not come up: ${said}`);
  const owned = undo.move();
  return {
    network,
    address,
    configFile,
    serial,
    console: () => said,
    run: (command, { user = 'root', input } = {}) =>
      createProgramRunner().run({
        file: 'ssh',
        args: ['-F', configFile, user === 'root' ? 'guest' : 'guest-user', command],
        input,
      }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function sshConfig(identityFile: string, knownHostsFile: string, proxy: string): string {
  return `Host guest guest-user
  ProxyCommand ${proxy}
Host guest near-guest
  User root
Host guest-user near-guest-user
  User user
Host *
  HostName ${address}
  IdentityFile ${identityFile}
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile ${knownHostsFile}
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  UpdateHostKeys no
  HostKeyAlias ppp-guest
`;
}
