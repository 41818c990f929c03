import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { descendantsOf, listProcesses, startSshd, type Sshd, waitUntil } from '@viassh/testing';
import type { Test } from 'tap';
import { onBothTransports } from './both-transports.ts';
import { type GitBench, makeGitBench, skipWithoutGit } from './git-bench.ts';
import { type RunningViassh, startViassh } from './run-viassh.ts';

onBothTransports(
  'git: a server that dies in the middle of a clone ends it as it does with plain ssh',
  async (t, transport) => {
    const ends = [];
    for (const shell of ['ssh', 'viassh']) {
      await using clone = await startStuckClone(t, transport, shell === 'ssh');
      await clone.sshd.kill();
      const { code } = await clone.running.exit;
      const said = clone.running.stderr();
      t.match(said, /^fatal: /m, said);
      ends.push(code);
      await t.rejects(access(join(clone.bench.home, 'copy')), 'git took away what was incomplete');
    }
    t.strictSame(ends, [128, 128]);
  },
  skipWithoutGit,
);

onBothTransports(
  'git: one that is killed in the middle of a clone leaves no process, here or there',
  async (t, transport) => {
    await using clone = await startStuckClone(t, transport, false);
    const { running, sshd } = clone;
    const below = descendantsOf(running.pid, await listProcesses());
    const git = below.find(({ command }) => command.startsWith('git clone '));
    t.ok(git);
    process.kill(git?.pid ?? 0, 'SIGKILL');
    await writeFile(join(clone.bench.far, 'go'), ''); // as with ssh, what is written to nobody ends it
    t.equal((await running.exit).code, 137);
    await waitUntil('what it started to be gone', async () => {
      const alive = new Set((await listProcesses()).map(({ pid, started }) => `${pid} ${started}`));
      return below.every(({ pid, started }) => !alive.has(`${pid} ${started}`));
    });
    await waitUntil('the server to have nobody any more', async () => (await sshd.processes()).length === 1);
  },
  skipWithoutGit,
);

onBothTransports(
  'git: a start-up file that prints is named, with what to do',
  async (t, transport) => {
    await using sshd = await startSshd();
    const bench = await makeGitBench(t, sshd, transport);
    const far = await bench.makeRepository('one.git');
    await promisify(execFile)('usermod', ['--shell', '/bin/bash', sshd.user]);
    await writeFile(join(sshd.home, '.bashrc'), 'echo welcome to this machine\n');
    const { code, stderr } = await bench.git(['clone', `t:${far}`, 'one']);
    t.equal(code, 128);
    t.match(stderr, /protocol error: bad line length character: welc/);
    t.match(stderr, /the shell on t prints before the protocol begins: "welcome to this machine".*\.bashrc/);
    await writeFile(join(sshd.home, '.bashrc'), 'case $- in *i*) ;; *) return ;; esac\necho welcome to this machine\n');
    await bench.works(t, ['clone', '-q', `t:${far}`, 'one']);
    const missing = await bench.git(['clone', `t:${far}-not`, 'two']);
    t.equal(missing.code, 128);
    t.notMatch(missing.stderr, /prints before/, 'a silent shell is not blamed');
  },
  skipWithoutGit || (process.getuid?.() === 0 ? false : 'only root changes a login shell'),
);

interface StuckClone extends AsyncDisposable {
  readonly sshd: Sshd;
  readonly bench: GitBench;
  readonly running: RunningViassh;
}

/** `git clone` of something large, whose far end has sent a part of it, and the rest when there is a file `go`. */
async function startStuckClone(t: Test, transport: string, plainSsh: boolean): Promise<StuckClone> {
  await using stack = new AsyncDisposableStack();
  const held = 'dd bs=65536 count=20; echo > stuck; until [ -e go ]; do sleep 0.05; done; exec cat';
  const sshd = stack.use(await startSshd({ mode: 'listen', authorize: false }));
  const bench = await makeGitBench(t, sshd, transport);
  const command = `cd ${bench.far}; sh -c \\"$SSH_ORIGINAL_COMMAND\\" | { ${held}; } 2>/dev/null`;
  await sshd.authorize(`command="${command}" ${await readFile(`${sshd.identityFile}.pub`, 'utf8')}`);
  const far = await bench.makeRepository('one.git', randomBytes(8_000_000));
  const env = { ...bench.env, ...(plainSsh ? { GIT_SSH_COMMAND: `ssh -F ${sshd.configFile}` } : {}) };
  const words = ['clone', '--progress', `t:${far}`, 'copy'];
  const start = { env, cwd: bench.home };
  const running = stack.use(
    plainSsh
      ? startViassh([], { ...start, shell: `exec git ${words.join(' ')}` })
      : startViassh(['git', ...words], start),
  );
  running.stdout.resume();
  stack.defer(async () => await sshd.kill()); // first: the far end holds what the near one waits for
  await waitUntil(
    'the far end to have sent a part',
    () =>
      access(join(bench.far, 'stuck')).then(
        () => true,
        () => false,
      ),
    {
      withinMs: 20_000,
    },
  );
  const owned = stack.move();
  return { sshd, bench, running, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
