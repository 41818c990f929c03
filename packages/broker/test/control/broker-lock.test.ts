import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { waitUntil } from '@viassh/testing';
import t from 'tap';
import { lockBroker } from '../../src/control/broker-lock.ts';
import { runtimeFolder } from './control-world.ts';

t.test('a second broker is told of the first, and may come when that has gone', async (t) => {
  const folder = await runtimeFolder(t);
  const first = await lockBroker(folder, process.pid);
  t.match(await readFile(join(folder, 'broker.pid'), 'utf8'), new RegExp(`^${process.pid}\n\\d+\n$`));
  await t.rejects(lockBroker(folder, process.ppid), {
    code: 'BROKER_RUNNING',
    message: new RegExp(String(process.pid)),
  });
  t.same(await readdir(folder), ['broker.pid'], 'nothing is left beside it');
  await first.release();
  t.same(await readdir(folder), []);
  await using _second = await lockBroker(folder, process.ppid);
});

t.test('a file of a process that has gone, or of another with its number, or garbage is replaced', async (t) => {
  const folder = await runtimeFolder(t);
  for (const stale of ['4194304999\n1\n', `${process.ppid}\n1\n`, '', 'x\n', `-1\n\n`]) {
    await writeFile(join(folder, 'broker.pid'), stale);
    await using _lock = await lockBroker(folder, process.pid);
    t.match(await readFile(join(folder, 'broker.pid'), 'utf8'), new RegExp(`^${process.pid}\n`));
  }
  t.same(await readdir(folder), []);
});

t.test('of many that come at once over a stale file, one is the broker', async (t) => {
  const folder = await runtimeFolder(t);
  const wins: number[] = [];
  for (let round = 0; round < 100; round += 1) {
    await writeFile(join(folder, 'broker.pid'), '4194304999\n1\n');
    const outcomes = await Promise.allSettled([process.pid, process.ppid, 1].map((pid) => lockBroker(folder, pid)));
    wins.push(outcomes.filter(({ status }) => status === 'fulfilled').length);
    for (const outcome of outcomes) if (outcome.status === 'fulfilled') await outcome.value.release();
  }
  t.same([...new Set(wins)], [1]);
  t.same(await readdir(folder), []);
});

t.test('a file that another has taken over is left alone at the end', async (t) => {
  const folder = await runtimeFolder(t);
  const lock = await lockBroker(folder, process.pid);
  await writeFile(join(folder, 'broker.pid'), '1\n1\n');
  await lock.release();
  t.equal(await readFile(join(folder, 'broker.pid'), 'utf8'), '1\n1\n');
});

t.test('a broker that was killed, and whose parent looks after nothing, holds no place', async (t) => {
  // The child ends when its parent is no shell any more: that would have looked after it.
  const child = 'until grep -q sleep /proc/$PPID/comm; do :; done';
  const parent = spawn('sh', ['-c', `sh -c '${child}' & echo $!; exec sleep 60`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.teardown(() => parent.kill('SIGKILL'));
  const [said] = (await once(parent.stdout, 'data')) as [Buffer];
  const dead = Number(said);
  const stat = async (): Promise<string[]> =>
    (await readFile(`/proc/${dead}/stat`, 'latin1')).split(') ')[1]?.split(' ') ?? [];
  await waitUntil('it to have ended', async () => (await stat())[0] === 'Z');
  const folder = t.testdir({ 'broker.pid': `${dead}\n${(await stat())[19]}\n` });
  await using _lock = await lockBroker(folder, process.pid);
  t.equal((await readFile(join(folder, 'broker.pid'), 'utf8')).split('\n')[0], String(process.pid));
});
