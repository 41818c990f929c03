import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { waitUntil } from '@viassh/testing';
import { onBothTransports } from './both-transports.ts';
import { brokerCaller } from './broker-caller.ts';
import { makeGitBench, skipWithoutGit } from './git-bench.ts';
import { makeMailBench, readFolder, skipWithout } from './mail-bench.ts';
import { skipWithoutRsync } from './rsync-programs.ts';

const RUNS = 10;
const AT_ONCE = 5; // fetchmail takes a second for a run, whatever it does

onBothTransports(
  'ten runs of fetchmail, a git fetch and an rsync over a broker: sshd sees one login',
  async (t, transport) => {
    await using bench = await makeMailBench(transport, { mode: 'listen' });
    await using stack = new AsyncDisposableStack();
    const { sshd, to, env, configure, up, logins } = await brokerCaller(stack, transport, bench.sshd);
    const git = await makeGitBench(t, sshd, transport);
    const mda = await bench.write('mda', `#!/bin/sh\nexec cat >"$(mktemp "$HOME/in/XXXXXXXX")"\n`, 0o755);
    await mkdir(join(bench.home, 'in'));
    await bench.write('.fetchmailrc', 'set no syslog');
    await bench.apply('fetchmail', '--mda', mda);
    await configure({ web: `forward: local, listen: unix:near.sock, to: ${to}, lazy: false` });
    await up();
    await waitUntil('the login', async () => (await logins()) === 1, { withinMs: 20_000 });

    for (let round = 0; round < RUNS; round += AT_ONCE) {
      const runs = Array.from({ length: AT_ONCE }, async (_, index) => {
        const args = ['--nodetach', '-v', '--pidfile', join(bench.home, `pid${index}`), 't'];
        const { code, stderr, stdout } = await bench.run('fetchmail', args, { env });
        t.equal(code, 0, `${stdout.toString()}${stderr}`);
      });
      await Promise.all(runs);
    }
    const every = bench.mailbox.messages.map(() => RUNS);
    t.strictSame(bench.count(await readFolder(join(bench.home, 'in'))), every, 'each mail in each run');
    const far = await git.makeRepository('one.git');
    await git.works(t, ['clone', '-q', `${sshd.destination}:${far}`, 'one'], { env });
    await git.works(t, ['-C', 'one', 'fetch', '-q'], { env });
    t.equal(await readFile(join(git.home, 'one/said'), 'utf8'), 'first\n');
    const folder = join(bench.home, 'files');
    await mkdir(folder);
    for (const name of ['a', 'b', 'c']) await writeFile(join(folder, name), name.repeat(100_000));
    for (const args of [
      ['-a', `${folder}/`, `${sshd.destination}:copy/`],
      ['-a', `${sshd.destination}:copy/`, join(bench.home, 'back')],
    ]) {
      const { code, stderr } = await bench.run('viassh', ['rsync', ...args], { env });
      t.equal(code, 0, stderr);
    }
    t.strictSame((await readdir(join(bench.home, 'back'))).toSorted(), ['a', 'b', 'c']);
    t.equal(await logins(), 1);
  },
  (await skipWithout('fetchmail')) || skipWithoutGit || skipWithoutRsync,
);
