import { lstat, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import { startSshd } from '@viassh/testing';
import { onBothTransports } from './both-transports.ts';
import { giveTo, makeTree, skipWithoutRsync } from './rsync-programs.ts';
import { reaching, runProgram } from './run-program.ts';
import type { Outcome } from './run-viassh.ts';

const COUNT = 2000;

/** Both trees have the same entries, types, contents and links. */
async function sameTrees(t: Test, left: string, right: string): Promise<void> {
  const { code, stdout } = await runProgram('diff', ['-r', '--no-dereference', left, right]);
  t.equal(stdout.toString(), '');
  t.equal(code, 0);
  const names = (await readdir(left, { recursive: true })).toSorted();
  t.strictSame((await readdir(right, { recursive: true })).toSorted(), names);
  t.ok(names.length >= COUNT);
}

function ended(t: Test, { code, stderr }: Outcome, expected = 0): void {
  t.equal(stderr, '');
  t.equal(code, expected);
}

const statistic = (stdout: Buffer, label: string): number =>
  Number(new RegExp(`^${label}: (\\d+)`, 'm').exec(stdout.toString())?.[1] ?? Number.NaN);

onBothTransports(
  'rsync pushes and pulls a tree of 2,000 files of all kinds, deletes what is gone, and has nothing to do twice',
  async (t, transport) => {
    await using sshd = await startSshd();
    const env = reaching(sshd, transport);
    const folder = t.testdir();
    const from = join(folder, 'from');
    await makeTree(from, COUNT);
    const args = ['-rltpHS', '--delete', '--stats', '--no-human-readable', '-e', 'viassh-ssh'];
    const there = join(sshd.home, 'to it');
    await mkdir(there);
    await writeFile(join(there, 'gone'), 'not in the source');
    await giveTo(there, sshd);

    const push = await runProgram('rsync', [...args, `${from}/`, `${sshd.destination}:to it/`], { env });
    ended(t, push);
    t.equal(statistic(push.stdout, 'Number of deleted files'), 1);
    await sameTrees(t, from, there);
    const [sparse, hard, blank] = await Promise.all(
      ['sparse', 'hard', 'with blank'].map((name) => stat(join(there, name))),
    );
    t.ok((sparse?.blocks ?? 0) * 512 < 1024 * 1024, 'the sparse file is sparse there');
    t.equal(sparse?.size, 8 * 1024 * 1024);
    t.equal(hard?.ino, blank?.ino, 'the hard link is one');
    t.ok((await lstat(join(there, 'dangling'))).isSymbolicLink());

    const again = await runProgram('rsync', [...args, `${from}/`, `${sshd.destination}:to it/`], { env });
    ended(t, again);
    t.equal(statistic(again.stdout, 'Number of regular files transferred'), 0);
    t.equal(statistic(again.stdout, 'Literal data'), 0);

    const back = join(folder, 'back');
    await mkdir(back);
    await writeFile(join(back, 'gone'), 'not there');
    const pull = await runProgram('rsync', [...args, `${sshd.destination}:to it/`, `${back}/`], { env });
    ended(t, pull);
    t.equal(statistic(pull.stdout, 'Number of deleted files'), 1);
    await sameTrees(t, there, back);
    t.ok((await stat(join(back, 'sparse'))).blocks * 512 < 1024 * 1024, 'the sparse file is sparse here');
    const none = await runProgram('rsync', [...args, `${sshd.destination}:to it/`, `${back}/`], { env });
    ended(t, none);
    t.equal(statistic(none.stdout, 'Number of regular files transferred'), 0);
  },
  skipWithoutRsync,
);

onBothTransports(
  'remote paths with blanks, quotes, unicode and dashes come one by one',
  async (t, transport) => {
    await using sshd = await startSshd();
    const env = reaching(sshd, transport);
    const folder = t.testdir();
    const names = [
      'with blank',
      "it's $(touch x) `touch y` {a,b}",
      '-dash',
      'ünï¢ödé ☃',
      ' lead',
      'a"b',
      'a;touch z',
      'a&b|c>d',
    ];
    for (const name of names) await writeFile(join(sshd.home, name), name);
    await giveTo(sshd.home, sshd);
    const sources = names.map((name) => `${sshd.destination}:${name}`);
    ended(t, await runProgram('viassh', ['rsync', '-t', '--', ...sources, `${folder}/`], { env }));
    for (const name of names) t.equal(await readFile(join(folder, name), 'utf8'), name);
    t.strictSame((await readdir(folder)).toSorted(), names.toSorted());
    t.notOk(
      (await readdir(sshd.home)).some((name) => /^[xyz]$/.test(name)),
      'no shell there ran what is in a name',
    );
  },
  skipWithoutRsync,
);
