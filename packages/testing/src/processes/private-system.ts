import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import type { ProgramOutput } from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { findProgram } from '../sshd/find-sshd.ts';
import { descendantsOf, listProcesses } from './processes.ts';

/** Runs a program of a private system, as root, to its end. */
export type PrivateRun = (
  file: string,
  args: readonly string[],
  options?: { readonly input?: string; readonly env?: Readonly<Record<string, string>> },
) => Promise<ProgramOutput>;

/**
 * Mounts and processes of its own, the network of the machine: what a server installed here reads and writes in its
 * usual places is its own copy. Disposing ends all that runs in it, and so does the end of this process.
 */
export interface PrivateSystem extends AsyncDisposable {
  readonly run: PrivateRun;
}

/** A shell that is the first process in there: it makes /etc a copy, sets up, says so, and collects orphans. */
const keeper = `set -e
cd /
mount -t tmpfs -o mode=755 none "$1/etc"
tries=0
until cp -a /etc/. "$1/etc"; do tries=$((tries + 1)); [ "$tries" -lt 9 ]; done # a lock file may go while it is copied
mount --bind "$1/etc" /etc
exec 3<&0
eval "$2" >&2 </dev/null
echo ready
cat <&3 >/dev/null &
wait $!
`;

/**
 * Makes a private system: /etc is a copy in memory; `setUp`, lines for sh under `set -e`, makes the rest, and starts
 * servers. `folder` is a scratch folder.
 *
 * @throws Error with what the set-up said
 */
export async function startPrivateSystem(folder: string, setUp: string): Promise<PrivateSystem> {
  await mkdir(join(folder, 'etc'));
  const programs = createProgramRunner();
  const first = await programs.start({
    file: 'unshare',
    args: ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', keeper, 'sh', folder, setUp],
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const dispose = async (): Promise<void> => {
    first.kill('SIGKILL');
    await first.exit;
  };
  let said = '';
  first.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text));
  const ready = await new Promise<boolean>((resolve) => {
    first.stdout?.once('data', () => resolve(true)).once('end', () => resolve(false));
  });
  const inside = descendantsOf(first.pid, await listProcesses()).find(({ parent }) => parent === first.pid);
  if (!ready || inside === undefined) {
    await dispose();
    throw new Error(`the private system did not come up: ${said}`);
  }
  const enter = ['--target', `${inside.pid}`, '--mount', '--pid', '--wd=/', '--'];
  return {
    run: (file, args, { input, env = {} } = {}) =>
      programs.run({
        file: 'nsenter',
        args: [...enter, file, ...args],
        env: { ...env, PATH: `${env['PATH'] ?? process.env['PATH']}:/usr/sbin:/sbin` },
        input,
      }),
    [Symbol.asyncDispose]: dispose,
  };
}

/** The reason why {@link startPrivateSystem} cannot work here, for tap's `skip`; undefined when it can. */
export async function missingForPrivateSystem(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'a private system needs Linux and root';
  for (const name of ['unshare', 'nsenter'])
    if ((await findProgram(name)) === undefined)
      return `no ${name} on this machine (Debian: apt-get install util-linux)`;
  return undefined;
}
