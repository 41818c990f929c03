import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import t from 'tap';
import { type Clock, systemClock } from '@viassh/core';
import { createTunnelLogs } from '@viassh/broker';
import { makeScratchFolder } from '@viassh/testing';

/** Stands still until it is moved. */
function clockAt(state: { now: number }): Clock {
  return { ...systemClock, now: () => state.now, wall: () => Date.UTC(2026, 0, 2) + state.now };
}

function words(lines: readonly string[]): readonly string[] {
  return lines.map((line) => line.replace(/^\S+ /, ''));
}

t.test('lines by tunnel, and all together, in memory and in files of their owner', async (t) => {
  await using scratch = await makeScratchFolder();
  const written: string[] = [];
  await using logs = createTunnelLogs({
    clock: clockAt({ now: 0 }),
    level: 'info',
    folder: scratch.path,
    write: (line) => written.push(line),
  });
  logs.logger('mail').info('is up');
  logs.logger('web').warning('went\naway \u001b[31m');
  logs.logger().error('out of luck');
  logs.logger('mail').debug('not at this level');
  t.strictSame(logs.lines('mail'), ['2026-01-02T00:00:00.000Z mail: is up']);
  t.strictSame(words(logs.lines()), [
    'mail: is up',
    'web: warning: went away \\u001b[31m',
    'broker: error: out of luck',
  ]);
  t.strictSame(logs.lines('nobody'), []);
  t.strictSame(written, logs.lines());
  await logs.flush();
  t.strictSame((await readdir(scratch.path)).toSorted(), ['_broker.log', 'mail.log', 'web.log']);
  t.equal(await readFile(join(scratch.path, 'mail.log'), 'utf8'), '2026-01-02T00:00:00.000Z mail: is up\n');
  t.equal((await stat(join(scratch.path, 'mail.log'))).mode & 0o777, 0o600);
});

t.test('a tunnel that never stops talking fills neither memory nor disk', async (t) => {
  await using scratch = await makeScratchFolder();
  await using logs = createTunnelLogs({
    clock: systemClock,
    level: 'info',
    folder: scratch.path,
    mostBytes: 10_000,
    mostLines: 50,
  });
  const log = logs.logger('noisy');
  for (let at = 0; at < 5000; at += 1) {
    log.info(`line ${at}`);
    if (at % 100 === 0) await logs.flush();
  }
  log.info('x'.repeat(100_000));
  log.info('the last one');
  await logs.flush();
  t.equal(logs.lines('noisy').length, 50);
  t.equal(logs.lines().length, 50);
  t.ok(logs.lines().every((line) => line.length < 3000));
  t.strictSame((await readdir(scratch.path)).toSorted(), ['noisy.log', 'noisy.log.1']);
  for (const name of ['noisy.log', 'noisy.log.1']) t.ok((await stat(join(scratch.path, name))).size <= 10_000, name);
  t.match(await readFile(join(scratch.path, 'noisy.log'), 'utf8'), /the last one\n$/);
});

const skipUnlessRoot = process.getuid?.() !== 0 && 'only root can make a device';

t.test(
  'a full disk is told once, lines stay in memory, and the file goes on when there is room',
  { skip: skipUnlessRoot },
  async (t) => {
    await using scratch = await makeScratchFolder();
    const file = join(scratch.path, 'mail.log');
    await promisify(execFile)('mknod', [file, 'c', '1', '7']); // /dev/full: ENOSPC for each write
    const time = { now: 0 };
    await using logs = createTunnelLogs({ clock: clockAt(time), level: 'info', folder: scratch.path });
    const log = logs.logger('mail');
    log.info('one');
    await logs.flush();
    log.info('two');
    await logs.flush();
    time.now += 6000;
    log.info('three');
    await logs.flush();
    const trouble = /^mail: warning: the log file cannot be written \(the disk is full\)/;
    t.match(words(logs.lines('mail')), ['mail: one', trouble, 'mail: two', 'mail: three']);
    await rm(file);
    time.now += 6000;
    log.info('four');
    await logs.flush();
    t.match(words(logs.lines('mail')).slice(4), ['mail: four', 'mail: warning: the log file is written again']);
    t.match(await readFile(file, 'utf8'), /^\(3 lines are missing here\)\n\S+ mail: four\n$/);
  },
);

t.test('a log file that is a link, or a folder that is gone, is not written through', async (t) => {
  await using scratch = await makeScratchFolder();
  const other = join(scratch.path, 'other');
  await symlink(other, join(scratch.path, 'mail.log'));
  await using logs = createTunnelLogs({ clock: systemClock, level: 'info', folder: scratch.path });
  logs.logger('mail').info('secret');
  await logs.flush();
  await t.rejects(stat(other), { code: 'ENOENT' });
  t.match(logs.lines('mail')[1], /cannot be written \(ELOOP\)/);
  await mkdir(join(scratch.path, 'web.log'));
  logs.logger('web').info('x');
  await logs.flush();
  t.match(logs.lines('web')[1], /cannot be written \(EISDIR\)/);
});

t.test('who follows gets what was, then what comes; who does not read misses lines and is told', async (t) => {
  await using logs = createTunnelLogs({ clock: systemClock, level: 'info', mostLines: 10 });
  const log = logs.logger('mail');
  log.info('before');
  const ending = new AbortController();
  const reader = logs.follow('mail', ending.signal)[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const { value, done } = await reader.next();
    return done === true ? 'done' : (words([value])[0] ?? '');
  };
  t.equal(await next(), 'mail: before');
  const waiting = next();
  logs.logger('web').info('for somebody else');
  log.info('now');
  t.equal(await waiting, 'mail: now');
  for (let at = 0; at < 1500; at += 1) log.info(`${at}`);
  const kept: string[] = [];
  while (kept.length < 1000) kept.push(await next());
  t.strictSame(
    kept,
    Array.from({ length: 1000 }, (_, at) => `mail: ${at}`),
  );
  const { value } = await reader.next();
  t.match(value, /^\(500 lines are missing here/);
  const last = next();
  ending.abort();
  t.equal(await last, 'done');
});
