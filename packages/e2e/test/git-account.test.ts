import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { findProgram, type Sshd, startSshd } from '@viassh/testing';
import type { Test } from 'tap';
import { onBothTransports } from './both-transports.ts';
import { type GitBench, makeGitBench, skipWithoutGit } from './git-bench.ts';
import { addAccount, sshdConfigOf } from './recipes-and-accounts.ts';
import { reaching, runProgram } from './run-program.ts';

const commits = ['commit', '-q', '--allow-empty', '-m', 'second'];

onBothTransports(
  'git account: the printed lines let a key clone and push with protocol version 2, and do nothing else',
  async (t, transport) => {
    await using sshd = await startSshd({ config: await sshdConfigOf(['git']) });
    const bench = await makeGitBench(t, sshd, transport);
    const env = reaching(await addAccount(sshd, ['git']), transport);
    const far = await bench.makeRepository(`it's.git`);
    const traced = await bench.git(['clone', '-q', `t:${far}`, 'one'], { env: { ...env, GIT_TRACE_PACKET: '1' } });
    t.equal(traced.code, 0, traced.stderr);
    t.match(traced.stderr, /< version 2$/m);
    await bench.works(t, ['-C', 'one', ...commits]);
    await bench.works(t, ['-C', 'one', 'push', '-q'], { env });
    await refusesAllElse(t, sshd, bench, env);
  },
  skipWithoutGit,
);

onBothTransports(
  'git account --read-only: clone and git archive, and no push',
  async (t, transport) => {
    await using sshd = await startSshd();
    const bench = await makeGitBench(t, sshd, transport);
    const env = reaching(await addAccount(sshd, ['git', '--read-only']), transport);
    const far = await bench.makeRepository('one.git');
    await bench.works(t, ['clone', '-q', `t:${far}`, 'one'], { env });
    t.match(await bench.works(t, ['archive', `--remote=t:${far}`, 'main'], { env }), /first\n/);
    await bench.works(t, ['-C', 'one', ...commits]);
    const pushed = await bench.git(['-C', 'one', 'push', '-q'], { env });
    t.equal(pushed.code, 128, pushed.stderr);
    t.match(pushed.stderr, /this key may read, and nothing else/);
    await refusesAllElse(t, sshd, bench, env);
    const hidden = `git-upload-pack '${far}'; touch ${bench.far}/ran`;
    t.not((await runProgram('viassh-ssh', ['t', hidden], { env })).code, 0);
    await t.rejects(access(join(bench.far, 'ran')));
  },
  skipWithoutGit,
);

onBothTransports(
  'git account --login-shell: an account whose shell is git-shell needs no forced command',
  async (t, transport) => {
    await using sshd = await startSshd();
    const bench = await makeGitBench(t, sshd, transport);
    const far = await bench.makeRepository('one.git');
    await promisify(execFile)('usermod', ['--shell', (await findProgram('git-shell')) ?? '', sshd.user]);
    const env = reaching(await addAccount(sshd, ['git', '--login-shell']), transport);
    await bench.works(t, ['clone', '-q', `t:${far}`, 'one'], { env });
    await refusesAllElse(t, sshd, bench, env);
  },
  skipWithoutGit || (process.getuid?.() === 0 ? false : 'only root changes a login shell'),
);

/** No shell, no other command, no pty, no forward: nothing of it comes about. */
async function refusesAllElse(t: Test, sshd: Sshd, bench: GitBench, env: Record<string, string>): Promise<void> {
  const ran = join(bench.far, 'ran');
  for (const words of [
    [],
    [`touch ${ran}`],
    [`git-shell -c 'touch ${ran}'`],
    [`git-upload-pack '--upload-pack=touch ${ran}'`],
    [`git-upload-pack '${bench.far}/x'\ntouch ${ran}`],
    [`$(touch ${ran})`],
    ['-s', 'sftp'],
  ]) {
    const options = words[0] === '-s' ? ['-s'] : [];
    const command = words.slice(options.length);
    const { code, stdout, stderr } = await runProgram('viassh-ssh', [...options, 't', ...command], {
      env,
      input: `touch ${ran}\n`,
    });
    t.not(code, 0, `${words.join(' ')}: ${stderr}`);
    t.equal(stdout.toString(), '');
  }
  await t.rejects(access(ran), 'nothing of it ran');
  const forward = await runProgram('viassh-ssh', ['-W', '127.0.0.1:22', 't'], { env });
  t.not(forward.code, 0);
  t.match(await sshd.log(), /refused local port forward/, 'sshd says that it refused the forward');
}
