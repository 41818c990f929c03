import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sshd } from '@viassh/testing';
import { rshProgram, timed } from './programs.ts';
import { shared } from './shared.ts';
import type { Contestant, Race } from './race.ts';

/** What the races are about. */
export interface RemoteShellOptions {
  readonly sshd: Sshd;
  readonly repetitions: number;
  /** Of the one large file. */
  readonly bytes: number;
}

/** Who is called in place of ssh. */
interface RemoteShell {
  readonly name: string;
  /** The words of `rsync -e` and GIT_SSH_COMMAND: none has a blank in it. */
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const SMALL_FILES = 20_000;
const CALLS = 50;

/** Programs that call a remote shell: the same work with ssh, and with ours in its place. */
export function remoteShellRaces({ sshd, repetitions, bytes }: RemoteShellOptions): Race[] {
  const shells: RemoteShell[] = [
    { name: 'ssh', words: ['ssh', '-F', sshd.configFile], env: {} },
    ...['openssh', 'ssh2'].map((transport): RemoteShell => {
      const { file, args } = rshProgram(sshd);
      return { name: `viassh-ssh, ${transport}`, words: [file, ...args], env: { VIASSH_TRANSPORT: transport } };
    }),
  ];
  const own = join(sshd.folder, 'programs');
  const large = shared(async () => {
    await mkdir(join(own, 'large'), { recursive: true });
    const random = spawnSync('head', ['-c', String(bytes), '/dev/urandom'], { maxBuffer: bytes });
    await writeFile(join(own, 'large/file'), random.stdout);
  });
  const small = shared(async () => {
    for (let folder = 0; folder < SMALL_FILES / 100; folder += 1) {
      await mkdir(join(own, `small/${folder}`), { recursive: true });
      for (let file = 0; file < 100; file += 1)
        await writeFile(join(own, `small/${folder}/${file}`), `${folder}-${file}\n`);
    }
  });
  const repository = join(sshd.home, 'bench.git');
  const made = shared(async () => {
    spawnSync('git', ['init', '-q', '--bare', repository]);
    for (const path of [repository, ...['HEAD', 'objects', 'refs'].map((name) => join(repository, name))])
      await chown(path, sshd.uid, sshd.gid);
  });
  const rsync = (from: string) => (shell: RemoteShell) => rsyncPush(shell, `${join(own, from)}/`, sshd);
  return [
    {
      title: `rsync, one file of ${bytes >> 20} MiB`,
      repetitions: Math.min(repetitions, 3),
      bytes,
      contestants: async () => {
        await large();
        return shells.map(rsync('large'));
      },
    },
    {
      title: `rsync, ${SMALL_FILES} small files`,
      repetitions: Math.min(repetitions, 3),
      contestants: async () => {
        await small();
        return shells.map(rsync('small'));
      },
    },
    {
      title: `git ls-remote, ${CALLS} times one after the other`,
      repetitions: Math.min(repetitions, 3),
      contestants: async () => {
        await made();
        return shells.map((shell) => lsRemote(shell, `${sshd.destination}:${repository}`));
      },
    },
  ];
}

function rsyncPush({ name, words, env }: RemoteShell, from: string, { destination, home }: Sshd): Contestant {
  return {
    name,
    async run() {
      const took = await timed(() => run('rsync', ['-a', '-e', words.join(' '), from, `${destination}:copy/`], env));
      await rm(join(home, 'copy'), { recursive: true });
      return took;
    },
  };
}

function lsRemote({ name, words, env }: RemoteShell, repository: string): Contestant {
  const all = { ...env, GIT_SSH_COMMAND: words.join(' '), GIT_SSH_VARIANT: 'ssh' };
  return {
    name,
    run: () =>
      timed(async () => {
        for (let call = 0; call < CALLS; call += 1) await run('git', ['ls-remote', repository], all);
      }),
  };
}

/** @throws Error unless it ends with status 0 */
async function run(file: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<void> {
  const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ...env } });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${file} ${args.join(' ')}: ${code}`);
}
