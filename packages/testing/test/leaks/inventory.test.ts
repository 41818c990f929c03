import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import type { ProgramOutput } from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { findLeaks, listProcesses, makeScratchFolder, takeInventory, waitUntil } from '@viassh/testing';

const quick = { withinMs: 50 };

t.test('an open file is found, and is none once it is closed', async (t) => {
  const before = await takeInventory();
  const file = await open(import.meta.filename);
  t.match(await findLeaks(before, quick), [/^descriptor \d+: .*inventory\.test\.ts$/]);
  await file.close();
  t.strictSame(await findLeaks(before), []);
});

t.test('listening sockets are found: TCP and Unix', async (t) => {
  await using scratch = await makeScratchFolder();
  const before = await takeInventory();
  const tcp = createServer().listen(0, '127.0.0.1');
  const unix = createServer().listen(join(scratch.path, 'socket'));
  await Promise.all([once(tcp, 'listening'), once(unix, 'listening')]);
  const left = await findLeaks(before, quick);
  t.equal(left.length, 2);
  t.match(left.join('\n'), /listening TCP socket, port \d+/);
  t.match(left.join('\n'), /listening Unix socket \S+\/socket/);
  tcp.close();
  unix.close();
  t.strictSame(await findLeaks(before), []);
});

t.test('a child process is found', async (t) => {
  const before = await takeInventory();
  const child = spawn('sleep', ['601'], { stdio: 'ignore' });
  t.match(await findLeaks(before, quick), [`process ${child.pid}: sleep 601`]);
  child.kill();
  t.strictSame(await findLeaks(before), []);
});

t.test('an orphan is found by the mark in its environment', async (t) => {
  const before = await takeInventory();
  const { stdout } = await createProgramRunner().run({
    file: 'sh',
    args: ['-c', 'setsid sleep 602 >/dev/null 2>&1 & echo $!'],
  });
  const orphan = await waitUntil('the orphan', async () =>
    (await listProcesses()).find(({ command }) => command === 'sleep 602'),
  );
  t.not(orphan.parent, process.pid);
  t.match(await findLeaks(before, quick), [`process ${orphan.pid}: sleep 602`]);
  process.kill(Number(stdout), 'SIGKILL');
  t.strictSame(await findLeaks(before), []);
});

t.test('a process that names our scratch folder is found though it has another environment', async (t) => {
  await using scratch = await makeScratchFolder();
  const before = await takeInventory();
  const child = spawn('env', ['-i', '/bin/sh', '-c', `sleep 603 # ${scratch.path}/x\n:`], {
    stdio: 'ignore',
    detached: true,
  });
  t.match((await findLeaks(before, quick)).join('\n'), scratch.path);
  process.kill(-(child.pid ?? 0), 'SIGKILL');
  t.strictSame(await findLeaks(before), []);
});

t.test('a private folder is found', async (t) => {
  await using scratch = await makeScratchFolder();
  const where = { folders: [scratch.path] };
  const before = await takeInventory(where);
  await mkdir(join(scratch.path, 'm-left'));
  t.strictSame(await findLeaks(before, { ...where, ...quick }), [`folder entry: ${scratch.path}/m-left`]);
});

t.test('watchLeaks fails a test file that leaks, and names the leak; passes one that does not', async (t) => {
  const clean = await run('');
  t.strictSame(clean.exit, { kind: 'status', code: 0 }, clean.stdout);
  const leaking = await run("const child = spawn('sleep', ['8'], { stdio: 'ignore' }); child.unref();");
  t.strictSame(leaking.exit, { kind: 'status', code: 1 });
  t.match(leaking.stderr, /left behind:[^]*process \d+: sleep 8/);
});

function program(body: string): string {
  return `
    import t from 'tap';
    import { spawn } from 'node:child_process';
    import { watchLeaks } from '@viassh/testing';
    await watchLeaks(t);
    t.test('one', async (t) => { ${body} t.pass('done'); });
  `;
}

async function run(body: string): Promise<ProgramOutput> {
  return await createProgramRunner().run({
    file: process.execPath,
    args: ['--conditions=@viassh/source', '--input-type=module', '-e', program(body)],
    cwd: import.meta.dirname,
    env: { TAP: '1' },
  });
}
