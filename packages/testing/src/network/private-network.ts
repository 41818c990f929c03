import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import type { ProgramOutput, ProgramStdio, RunningProgram } from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { killQuietly } from '../processes/processes.ts';
import { waitUntil } from '../processes/wait-until.ts';
import { findProgram } from '../sshd/find-sshd.ts';
import { makeScratchFolder } from '../sshd/scratch-folder.ts';

/**
 * A network namespace with loopback up, and an /etc and a /dev/net of its own, that no name holds: it goes with its first
 * process, and that goes with this one, however it ends. /sys shows its devices.
 */
export interface PrivateNetwork extends AsyncDisposable {
  /** Its first process. */
  readonly pid: number;
  /** Words before a program that is to run there; the program's working folder is `/`. */
  readonly inside: readonly string[];
  /** Runs a program there to its end; a status other than 0 is an Error that says what it said. */
  run(file: string, args: readonly string[], input?: string): Promise<ProgramOutput>;
  /** Starts a server there: it is killed when the network goes, at the latest. */
  serve(file: string, args: readonly string[], options?: ServeOptions): Promise<RunningProgram>;
}

/** How {@link PrivateNetwork.serve} starts a server. */
export interface ServeOptions {
  /** Default: nothing but /dev/null. */
  readonly stdio?: ProgramStdio | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

const nothing: ProgramStdio = ['ignore', 'ignore', 'ignore'];

/** Its end of stdin is this process's end. accept_dad: an address that is given can be used at once. */
const keeper = `set -e
mount -t sysfs sysfs /sys 2>/dev/null || true
mount -t tmpfs -o mode=755 none "$1"
tries=0
until cp -a /etc/. "$1"; do tries=$((tries + 1)); [ "$tries" -lt 9 ]; done # a lock file may go while it is copied
mount --bind "$1" /etc
if [ -e /dev/net/tun ]; then mount -t tmpfs -o mode=755 none /dev/net; mknod -m 666 /dev/net/tun c 10 200; fi
for all in all default; do echo 0 >/proc/sys/net/ipv6/conf/$all/accept_dad; done 2>/dev/null || true
ip link set lo up
echo ready
exec cat >/dev/null
`;

/**
 * Makes a private network. What is in /etc then is in its own: a user that is made afterwards is not.
 *
 * @throws Error with what went wrong; ask {@link missingForPrivateNetwork} first
 */
export async function startPrivateNetwork(): Promise<PrivateNetwork> {
  await using undo = new AsyncDisposableStack();
  const { path: folder } = undo.use(await makeScratchFolder());
  const etc = join(folder, 'etc');
  await mkdir(etc);
  const programs = createProgramRunner();
  const first = await programs.start({
    file: 'unshare',
    args: ['--net', '--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', keeper, 'sh', etc],
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const servers = new Set<RunningProgram>();
  undo.defer(async () => {
    first.kill('SIGKILL');
    await Promise.all([first, ...servers].map(({ exit }) => exit));
  });
  let said = '';
  first.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text));
  const ready = await new Promise<boolean>((resolve) => {
    first.stdout?.once('data', () => resolve(true)).once('end', () => resolve(false));
  });
  if (!ready) throw new Error(`the private network did not come up: ${said}`);
  const pid = await waitUntil('the first process', () => childOf(first.pid));
  const enter = ['nsenter', '--target', `${pid}`, '--net', '--mount'];
  const env = { PATH: `${process.env['PATH']}:/usr/sbin:/sbin` };
  const owned = undo.move();
  return {
    pid,
    inside: [...enter, '--'],
    async run(file, args, input) {
      const [enterFile = '', ...words] = enter;
      const output = await programs.run({ file: enterFile, args: [...words, '--', file, ...args], env, input });
      if (output.exit.kind !== 'status' || output.exit.code !== 0)
        throw new Error(`${[file, ...args].join(' ')} failed: ${output.stderr || output.stdout}`);
      return output;
    },
    async serve(file, args, { stdio = nothing, env: added } = {}) {
      const [enterFile = '', ...words] = enter;
      const command = [...words, '--pid', '--', file, ...args];
      const parent = await programs.start({ file: enterFile, args: command, stdio, env: { ...env, ...added } });
      servers.add(parent);
      let ended = false;
      void parent.exit.then(() => (ended = true));
      const server = await waitUntil('the server', async () => (await childOf(parent.pid)) ?? (ended && -1));
      if (server < 0) throw new Error(`${file} ended as soon as it was started`);
      return { ...parent, pid: server, kill: (signal) => killQuietly(server, signal) };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The reason why {@link startPrivateNetwork} cannot work here, for tap's `skip`; undefined when it can. */
export async function missingForPrivateNetwork(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'a private network needs Linux and root';
  for (const [name, packageName] of [
    ['unshare', 'util-linux'],
    ['nsenter', 'util-linux'],
    ['ip', 'iproute2'],
  ] as const)
    if ((await findProgram(name, ['/usr/sbin', '/sbin'])) === undefined)
      return `no ${name} on this machine (Debian: apt-get install ${packageName})`;
  return undefined;
}

async function childOf(parent: number): Promise<number | undefined> {
  const children = await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8').catch(() => '');
  return children === '' ? undefined : Number.parseInt(children, 10);
}
