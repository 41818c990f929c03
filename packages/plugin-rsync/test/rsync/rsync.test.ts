import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createProgramRunner } from '@viassh/program';
import { findProgram, waitUntil, watchLeaks } from '@viassh/testing';
import { rsyncFailed } from '../../src/rsync/rsync-failed.ts';
import { createRsync, type Rsync } from '../../src/rsync/rsync.ts';

const skip = (await findProgram('rsync')) === undefined && 'rsync is not installed';
const programs = createProgramRunner();

/** rsync with a remote shell that runs its command on this machine; `first` is sh, before that. */
async function rsyncHere(t: Test, first = ''): Promise<{ rsync: Rsync; folder: string }> {
  const folder = t.testdir({ from: { 'a b': 'one', "it's {x} $y": 'two', '-dash': 'three', ünï: 'four' } });
  await mkdir(join(folder, 'a shell'));
  const path = join(folder, "a shell/it's.sh");
  await writeFile(path, `#!/bin/sh\n[ "$1" = -l ] && shift 2\nshift\n${first}\nexec sh -c "$*"\n`);
  await chmod(path, 0o755);
  return { rsync: createRsync({ programs, remoteShell: { path } }), folder };
}

t.test('a tree goes there, with progress and statistics', { skip }, async (t) => {
  await watchLeaks(t);
  const { rsync, folder } = await rsyncHere(t);
  const percents: number[] = [];
  const result = await rsync(`${folder}/from/`, `u@h:${folder}/to it's/`, {
    onProgress: ({ percent }) => percents.push(percent),
  });
  t.match(result, { files: 5, created: 4 + 1, transferred: 4, totalSize: 15, literalBytes: 15 });
  t.equal(percents.at(-1), 100);
  t.equal(await readFile(join(folder, "to it's/-dash"), 'utf8'), 'three');
  t.match(await rsync(`${folder}/from/`, `h:${folder}/to it's/`), { transferred: 0, literalBytes: 0 });
});

t.test('names with blanks, quotes and dashes come from there one by one', { skip }, async (t) => {
  const { rsync, folder } = await rsyncHere(t, `cd '${t.testdirName}/from'`);
  const sources = ['a b', "it's {x} $y", '-dash', 'ünï'].map((name) => `h:${name}`);
  t.match(await rsync(sources, join(folder, 'to/')), { transferred: 4 });
  t.match(await rsync('-dash', join(folder, '-to/'), { cwd: join(folder, 'from') }), { transferred: 1 });
});

t.test('what is left out fails with the class of its exit code and with its words', { skip }, async (t) => {
  const { rsync, folder } = await rsyncHere(t);
  await t.rejects(rsync('h:/nowhere/x', folder), { code: 'RSYNC_PARTIAL', message: /exit code 23.*nowhere/ });
  await t.rejects(rsync('h:x', folder, { args: ['--no-such'] }), { code: 'RSYNC_USAGE', message: /code 1\).*no-such/ });
  await t.rejects(rsync('h:x', 'g:y'), { code: 'RSYNC_USAGE' });
  await t.rejects(rsync('h:x', folder, { args: ['--rsync-path=nix'] }), { code: 'RSYNC_STREAM', message: /nix/ });
  await t.rejects(rsync('h:x', folder, { args: ['-e', 'false'] }), { code: 'RSYNC_STREAM', message: /code 12/ });
  // Not by a run: rsync says 12 when it sees the end of the stream before that of the remote shell.
  t.match(rsyncFailed({ kind: 'status', code: 255 }, ''), { code: 'REMOTE_SHELL_FAILED' });
  t.match(rsyncFailed({ kind: 'status', code: 127 }, ''), { code: 'RSYNC_STREAM', hint: /--rsync-path/ });
  await t.rejects(rsync('h:x', folder, { args: ['-e', "sh -c 'kill $PPID; sleep 9'"] }), { code: 'RSYNC_ENDED' });
  const noisy = await rsyncHere(t, 'printf "hello\\033[31m there"');
  await t.rejects(noisy.rsync('h:/x', folder), { code: 'RSYNC_STREAM', message: /code 2\)/, hint: /start-up file/ });
});

t.test('places that no rsync must see are refused', { skip }, async (t) => {
  const { rsync, folder } = await rsyncHere(t, `touch '${t.testdirName}/ran'`);
  for (const place of ['-oProxyCommand=touch x:y', '$(touch x):y', ';touch x:y', 'a\nb:y', '`touch x`:y'])
    await t.rejects(rsync(place, folder), { code: 'DESTINATION_INVALID' }, place);
  await t.rejects(rsync('', folder), { code: 'OPTION_INVALID' });
  await t.rejects(rsync('h:a\0b', folder), { code: 'OPTION_INVALID' });
  await t.rejects(readFile(join(folder, 'ran')), { code: 'ENOENT' }, 'the remote shell was never started');
});

t.test('no source, and options that rsync would take for files, are refused', { skip }, async (t) => {
  const { rsync, folder } = await rsyncHere(t, `touch '${t.testdirName}/ran'`);
  await t.rejects(rsync([], 'h:'), { code: 'OPTION_INVALID' }, 'rsync alone would list what is there');
  for (const args of ['-n', ['-a', '--'], ['-a\0'], [1]] as unknown as string[][])
    await t.rejects(rsync('h:x', folder, { args }), { code: 'OPTION_INVALID' }, JSON.stringify(args));
  await t.rejects(readFile(join(folder, 'ran')), { code: 'ENOENT' }, 'the remote shell was never started');
});

t.test('an abort ends rsync and what is below it', { skip }, async (t) => {
  await watchLeaks(t);
  const { rsync, folder } = await rsyncHere(t, `echo $$ > '${t.testdirName}/pid'`);
  await writeFile(join(folder, 'from/large'), Buffer.alloc(8_000_000, 1));
  const controller = new AbortController();
  const running = rsync(`${folder}/from/`, `h:${folder}/to/`, {
    args: ['-a', '--bwlimit=500'],
    signal: controller.signal,
  });
  await waitUntil('the far end to be there', () => readFile(join(folder, 'pid')).catch(() => undefined));
  controller.abort();
  await t.rejects(running, { code: 'ABORTED' });
  await t.rejects(rsync('h:x', folder, { signal: controller.signal }), { code: 'ABORTED' });
});

t.test('a callback that throws ends the run with its error', { skip }, async (t) => {
  const { rsync, folder } = await rsyncHere(t);
  const broken = new Error('of the caller');
  await t.rejects(
    rsync(`${folder}/from/`, `h:${folder}/to/`, {
      onProgress: () => {
        throw broken;
      },
    }),
    broken,
  );
});

t.test('an old rsync is told to protect its arguments, a very old one is refused', async (t) => {
  const started: (readonly string[])[] = [];
  const withVersion = (version: string): Rsync =>
    createRsync({
      remoteShell: { path: '/shell' },
      programs: {
        run: async () => ({ exit: { kind: 'status', code: 0 }, stdout: `rsync  version ${version}  x\n`, stderr: '' }),
        start: async ({ args }) => {
          started.push(args);
          throw new Error('started');
        },
      },
    });
  await t.rejects(withVersion('3.2.3')('a', 'h:b'), { message: 'started' });
  await t.rejects(withVersion('3.5.0')('a', 'h:b'), { message: 'started' });
  t.strictSame(
    started.map((args) => args.includes('--protect-args')),
    [true, false],
  );
  t.strictSame(started[1]?.slice(-3), ['--', 'a', 'h:b']);
  await t.rejects(withVersion('3.0.9')('a', 'h:b'), { code: 'PROGRAM_FAILED' });
});
