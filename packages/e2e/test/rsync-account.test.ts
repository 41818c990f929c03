import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import process from 'node:process';
import type { Test } from 'tap';
import { type Sshd, startSshd } from '@viassh/testing';
import { onBothTransports } from './both-transports.ts';
import { giveTo, skipWithoutRsync } from './rsync-programs.ts';
import { reaching, runProgram } from './run-program.ts';
import { cliFile, type Outcome } from './run-viassh.ts';

const skipWithoutRrsync = skipWithoutRsync || (!existsSync('/usr/bin/rrsync') && 'rrsync is not installed');

/** viassh where the fixture's user may run it: this clone, and node, may be out of reach. Gives the command. */
async function installViassh({ folder }: Sshd): Promise<string> {
  const here = join(folder, 'viassh');
  await cp(dirname(cliFile), here, { recursive: true });
  await cp(process.execPath, join(here, 'node'));
  await writeFile(join(here, 'package.json'), '{"type":"module"}');
  for (const entry of await readdir(here, { recursive: true })) await chmod(join(here, entry), 0o755);
  await chmod(here, 0o755);
  return `${here}/node ${here}/main.js`;
}

/** A home with a folder for the key, a file outside of it, and a link out. */
async function prepare(sshd: Sshd): Promise<void> {
  await mkdir(join(sshd.home, 'rsync/sub'), { recursive: true });
  await writeFile(join(sshd.home, 'secret'), 'secret');
  await writeFile(join(sshd.home, 'rsync/file'), 'of the folder');
  await symlink('../secret', join(sshd.home, 'rsync/out'));
  await giveTo(sshd.home, sshd);
}

/** What both checkers have to allow and to refuse. */
async function holdTo(t: Test, sshd: Sshd, transport: string): Promise<void> {
  const folder = t.testdir({ new: 'from here', got: {} });
  const env = reaching(sshd, transport);
  const rsync = async (...args: readonly string[]): Promise<Outcome> =>
    await runProgram('rsync', ['-e', 'viassh-ssh', ...args], { env, cwd: folder });
  const there = (path: string): string => `${sshd.destination}:${path}`;

  const push = await rsync('-a', '--no-o', '--no-g', 'new', there('sub/'));
  t.equal(push.code, 0, push.stderr);
  t.equal(await readFile(join(sshd.home, 'rsync/sub/new'), 'utf8'), 'from here');
  const file = await rsync('-t', 'new', there('sub/renamed'));
  t.equal(file.code, 0, file.stderr);
  t.equal(await readFile(join(sshd.home, 'rsync/sub/renamed'), 'utf8'), 'from here');
  const pull = await rsync('-rt', there('/file'), there('sub/'), 'got/');
  t.equal(pull.code, 0, pull.stderr);
  t.strictSame((await readdir(join(folder, 'got'))).toSorted(), ['file', 'new', 'renamed']);
  const relative = await rsync('-rtR', there('sub/./new'), there('sub/renamed'), 'got/');
  t.equal(relative.code, 0, relative.stderr);
  t.equal(await readFile(join(folder, 'got/sub/renamed'), 'utf8'), 'from here');
  const kept = await rsync('-rI', '-b', '--backup-dir=/kept', 'new', there('sub/'));
  t.equal(kept.code, 0, kept.stderr);
  t.strictSame(await readdir(join(sshd.home, 'rsync/kept')), ['new']);
  t.equal((await runProgram('viassh-ssh', [sshd.destination, 'true'], { env })).code, 0);

  for (const args of [
    [there('../secret'), 'got/'],
    [there('out'), 'got/'],
    ['-L', there('out'), 'got/'],
    ['-s', there('file'), 'got/'],
    ['new', there('../new')],
    ['--temp-dir=../..', 'new', there('.')],
    ['-M--log-file=../log', 'new', there('.')],
  ]) {
    const { code, stderr } = await rsync(...args);
    t.not(code, 0, args.join(' '));
    t.match(stderr, /rrsync/, args.join(' '));
  }
  for (const command of ['id', 'cat secret', 'rsync --daemon', 'rsync --server --daemon .', 'sh -c "touch x"', '']) {
    const { code, stdout } = await runProgram('viassh-ssh', [sshd.destination, ...(command === '' ? [] : [command])], {
      env,
    });
    t.not(code, 0, command);
    t.equal(stdout.length, 0, command);
  }
  t.strictSame((await readdir(sshd.home)).filter((name) => !name.startsWith('.')).toSorted(), ['rsync', 'secret']);
  t.notOk((await readdir(join(folder, 'got'))).includes('secret'));
}

onBothTransports(
  'the line that viassh account printed lets a key use rsync in its folder, and nothing else',
  async (t, transport) => {
    await using sshd = await startSshd({ authorize: false });
    await prepare(sshd);
    const printed = await runProgram('viassh', ['account', 'rsync', `${sshd.identityFile}.pub`]);
    t.equal(printed.code, 0, printed.stderr);
    await sshd.authorize(printed.stdout.toString());
    await holdTo(t, sshd, transport);
  },
  skipWithoutRrsync,
);

onBothTransports(
  'viassh rrsync as the checker holds the key to the same',
  async (t, transport) => {
    await using sshd = await startSshd({ authorize: false });
    await prepare(sshd);
    const key = (await readFile(`${sshd.identityFile}.pub`, 'utf8')).trim();
    await sshd.authorize(`restrict,command="${await installViassh(sshd)} rrsync rsync" ${key}`);
    await holdTo(t, sshd, transport);
    // rrsync 3.5.0 cannot do this: it hands rsync a descriptor of the old file for its name.
    const env = reaching(sshd, transport);
    const over = ['-e', 'viassh-ssh', '-I', 'over', `${sshd.destination}:sub/renamed`];
    const { code, stderr } = await runProgram('rsync', over, { env, cwd: t.testdir({ over: 'once more' }) });
    t.equal(code, 0, stderr);
    t.equal(await readFile(join(sshd.home, 'rsync/sub/renamed'), 'utf8'), 'once more');
  },
  skipWithoutRsync,
);

onBothTransports(
  'the recipe that viassh printed makes rsync use it',
  async (t, transport) => {
    await using sshd = await startSshd();
    const home = t.testdir({ file: 'by the recipe' });
    const env = { ...reaching(sshd, transport), HOME: home };
    const { stdout, code } = await runProgram('viassh', ['recipe', 'rsync', sshd.destination]);
    t.equal(code, 0);
    for (let twice = 0; twice < 2; twice += 1) {
      const { code: ran, stderr } = await runProgram('sh', [], { input: stdout, env, cwd: home });
      t.equal(stderr, '');
      t.equal(ran, 0);
    }
    t.equal((await readFile(join(home, '.profile'), 'utf8')).match(/^export RSYNC_RSH=/gm)?.length, 1, 'once');
    const script = '. ~/.profile; case $RSYNC_RSH in viassh-ssh) ;; *) exit 8 ;; esac; exec rsync -t file "$1:to/"';
    const used = await runProgram('sh', ['-c', script, 'sh', sshd.destination], { env, cwd: home });
    t.equal(used.code, 0, used.stderr);
    t.equal(await readFile(join(sshd.home, 'to/file'), 'utf8'), 'by the recipe');
  },
  skipWithoutRsync,
);
