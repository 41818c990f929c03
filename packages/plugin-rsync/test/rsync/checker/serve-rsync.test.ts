import { realpathSync } from 'node:fs';
import { mkdir, readdir, rename, symlink } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { ProgramRequest, ProgramRunner } from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { findProgram, watchLeaks } from '@viassh/testing';
import { confine } from '../../../src/rsync/checker/confine.ts';
import { HeldPaths } from '../../../src/rsync/checker/held-paths.ts';
import { readRrsyncArguments } from '../../../src/rsync/checker/limits.ts';
import { readServerCommand } from '../../../src/rsync/checker/read-server-command.ts';
import { serveRsync } from '../../../src/rsync/checker/serve-rsync.ts';
import { makeFolder } from './make-folder.ts';

const real = createProgramRunner();

/** Runs the command with everything real but rsync; gives what that would have been started with. */
async function serve(command: string, ...args: readonly string[]): Promise<ProgramRequest | undefined> {
  let started: ProgramRequest | undefined;
  const programs: ProgramRunner = {
    run: real.run,
    start: async (request) => {
      if (request.file === 'rsync') started = request;
      return await real.start(request.file === 'rsync' ? { ...request, file: 'true', args: [] } : request);
    },
  };
  const code = await serveRsync({ programs, limits: readRrsyncArguments(args), command });
  if (code !== 0) throw new Error(`ended with ${code}`);
  return started;
}

const fdOf = (path: string): number => Number(/^\/proc\/self\/fd\/(\d+)/.exec(path)?.[1]) - 3;

/** The arguments of a command, and what its held paths are now. */
async function confined(
  t: Test,
  command: string,
  between: (root: string, parent: string) => Promise<unknown>,
): Promise<{ readonly args: readonly string[]; readonly now: string; readonly root: string }> {
  const parent = t.testdir();
  const root = await makeFolder(parent);
  const limits = readRrsyncArguments([root]);
  const held = new HeldPaths(root);
  t.teardown(() => held.close());
  const args = confine(readServerCommand(command, limits), limits, held);
  await between(root, parent);
  const path = args.at(-1) ?? '';
  const name = path.replace(/^\/proc\/self\/fd\/\d+/, `/proc/self/fd/${held.descriptors[fdOf(path)]}`);
  return { args, now: realpathSync(name), root };
}

const swap = async (root: string, parent: string): Promise<void> => {
  await mkdir(join(parent, 'outside/inner'));
  await rename(join(root, 'folder'), join(root, 'moved'));
  await symlink('../outside', join(root, 'folder'));
};

t.test('a link put in place of a folder after the look leads nowhere', async (t) => {
  for (const path of ['folder/inner', 'folder/inner/', 'folder/inner/.']) {
    const pull = await confined(t, `rsync --server --sender -re.x . ${path}`, swap);
    t.equal(pull.now, join(pull.root, 'moved/inner'), path);
  }
  const push = await confined(t, 'rsync --server -re.x . folder/', swap);
  t.equal(push.now, join(push.root, 'moved'));
});

t.test('wildcards stand for what a shell would take, escaped ones for themselves', async (t) => {
  const paths = async (words: string): Promise<readonly string[]> => {
    const { args } = await confined(t, `rsync --server --sender -re.x . ${words}`, async () => undefined);
    return args.slice(args.indexOf('--') + 2).map((path) => path.replace(/^\/proc\/self\/fd\/\d+\//, ''));
  };
  t.strictSame(await paths('f*'), ['file', 'folder']);
  t.strictSame(await paths('f[!o]*'), ['file']);
  t.strictSame(await paths('fil? [a-f]older'), ['file', 'folder']);
  t.strictSame(await paths('fold*/inn*/deep/l*f'), ['leaf']);
  t.strictSame(await paths(`it\\'s\\ \\{a,b\\}\\ \\$x`), ["it's {a,b} $x"]);
  await t.rejects(paths('f\\*'), { code: 'RSYNC_REFUSED' });
  await t.rejects(paths('[z-a]*'), { code: 'RSYNC_REFUSED' });
});

t.test('rsync runs in the folder, with what the account adds', async (t) => {
  await watchLeaks(t);
  const root = await makeFolder(t.testdir());
  const started = await serve('rsync --server -rDe.x . new', '-munge', '-no-overwrite', root);
  t.equal(started?.cwd, root);
  t.strictSame(started?.args.slice(0, -1), [
    '--server',
    '-rDe.x',
    '--drop-D',
    `--confine-root=${root}`,
    '--munge-links',
    '--ignore-existing',
    '--',
    '.',
  ]);
  t.match(started?.args.at(-1), /^\/proc\/self\/fd\/3\/new$/);
  t.equal(started?.stdio.length, 4, 'and what it was handed');
  t.equal(await serve('true', root), undefined, 'true is no rsync');
});

t.test('folders for backups and parts are made inside, others are not', async (t) => {
  const root = await makeFolder(t.testdir());
  const command = 'rsync --server -re.x --backup-dir a/b --partial-dir=.part --link-dest=none --copy-dest=folder . .';
  const { args } = (await serve(command, root)) ?? { args: [] };
  t.ok((await readdir(join(root, 'a'))).includes('b'));
  t.ok((await readdir(root)).includes('.part'));
  t.notOk((await readdir(root)).includes('none'));
  t.equal(args.filter((word) => /^--(?:backup-dir|partial-dir|copy-dest)=\/proc\/self\/fd\/\d$/.test(word)).length, 3);
  t.notOk(
    args.some((word) => word.startsWith('--link-dest')),
    'nothing is found in a folder that is not there',
  );
});

t.test(
  'one at a time, whoever holds the lock of rrsync',
  { skip: (await findProgram('flock')) === undefined && 'flock is not installed' },
  async (t) => {
    const root = await makeFolder(t.testdir());
    const holder = await real.start({
      file: 'flock',
      args: ['--exclusive', root, '-c', 'echo held; cat >/dev/null'],
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    if (holder.stdout !== undefined) await once(holder.stdout, 'data');
    await t.rejects(serve('rsync --server -re.x . new', root), { code: 'RSYNC_REFUSED', message: /another transfer/ });
    t.ok(await serve('rsync --server -re.x . new', '-no-lock', root));
    t.ok(await serve('rsync --server --sender -re.x . file', '-ro', root));
    holder.stdin?.end();
    await holder.exit;
    t.ok(await serve('rsync --server -re.x . new', root), 'and free again');
  },
);

t.test('what is no folder, no command line and no command', async (t) => {
  const root = await makeFolder(t.testdir());
  const programs = real;
  for (const args of [[], ['-x', root], [root, root], ['-ro', '-wo', root], ['--help']])
    t.throws(() => readRrsyncArguments(args), { code: 'USAGE' }, args.join(' '));
  const limits = readRrsyncArguments([join(root, 'missing')]);
  await t.rejects(serveRsync({ programs, limits, command: 'rsync --server -re.x . .' }), { code: 'RSYNC_REFUSED' });
  await t.rejects(serveRsync({ programs, limits, command: undefined }), { code: 'RSYNC_REFUSED' });
});
