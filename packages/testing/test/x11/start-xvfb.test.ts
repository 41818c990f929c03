import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createProgramRunner } from '@viassh/program';
import {
  authorityFile,
  coloursOf,
  missingForXvfb,
  startXvfb,
  waitUntil,
  watchLeaks,
  type XImage,
} from '@viassh/testing';

const missing = await missingForXvfb();

function test(name: string, body: (t: Test) => Promise<void>): void {
  void t.test(name, { skip: missing ?? false }, async (t) => {
    await watchLeaks(t);
    await body(t);
  });
}

const sockets = async (): Promise<Set<string>> => new Set(await readdir('/tmp/.X11-unix').catch(() => []));

test('only who has the cookie may connect', async (t) => {
  t.testdir();
  await using server = await startXvfb();
  const good = await server.run('xdpyinfo');
  t.match(good, { exit: { kind: 'status', code: 0 }, stdout: `name of display:    ${server.display}` });
  const cookie = '00'.repeat(16);
  const wrong = join(t.testdirName, 'wrong');
  const entry = { family: 'local', address: hostname(), number: `${server.number}`, cookie } as const;
  await writeFile(wrong, authorityFile([entry]));
  for (const XAUTHORITY of [wrong, '/dev/null']) {
    const env = { ...server.env, XAUTHORITY };
    const refused = await createProgramRunner().run({ file: 'xdpyinfo', args: [], env });
    t.match(refused, { exit: { kind: 'status', code: 1 }, stderr: 'unable to open display' }, XAUTHORITY);
  }
});

test('a server that wants no cookie lets everybody in', async (t) => {
  await using server = await startXvfb({ cookie: false });
  t.equal(server.cookie, '');
  t.match(await server.run('xdpyinfo'), { exit: { kind: 'status', code: 0 } });
});

test('SECURITY is there unless it was switched off', async (t) => {
  await using has = await startXvfb();
  await using hasNot = await startXvfb({ security: false });
  t.not(has.number, hasNot.number, 'two servers have displays of their own');
  t.match((await has.run('xdpyinfo')).stdout, /^ {4}SECURITY$/m);
  t.notMatch((await hasNot.run('xdpyinfo')).stdout, /SECURITY/);
});

test('it listens on TCP only when that was asked for', async (t) => {
  await using server = await startXvfb({ tcp: true, screens: ['320x200x24', '100x100x24'] });
  await using closed = await startXvfb();
  const over = async ({ number, env: { XAUTHORITY } }: typeof server) =>
    await createProgramRunner().run({
      file: 'xdpyinfo',
      args: ['-display', `127.0.0.1:${number}`],
      env: { XAUTHORITY },
    });
  t.match(await over(closed), { exit: { kind: 'status', code: 1 } });
  t.match((await server.run('xdpyinfo')).stdout, /^number of screens: {4}2$/m);
  t.match(await over(server), { exit: { kind: 'status', code: 0 } });
});

test('windows and what they show are seen', async (t) => {
  await using server = await startXvfb();
  const before = await server.picture();
  t.strictSame({ ...before, pixels: coloursOf(before) }, { width: 640, height: 480, pixels: 1 });
  const clock = await createProgramRunner().start({
    file: 'xclock',
    args: ['-geometry', '100x90+7+9', '-title', 'the "clock"'],
    env: server.env,
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  t.teardown(() => clock.exit);
  const found = await waitUntil('a window', async () => (await server.windows())[0]);
  t.equal(found.name, 'the "clock"');
  const drawn = async (): Promise<XImage | false> => {
    const picture = await server.picture(found.id);
    return coloursOf(picture) > 1 && picture;
  };
  const picture = await waitUntil('something drawn', drawn);
  t.match(picture, { width: 100, height: 90 });
  clock.kill('SIGTERM');
});

test('nothing stays of a server that was killed', async (t) => {
  const before = await sockets();
  const server = await startXvfb();
  t.ok(existsSync(server.socket));
  await server.kill();
  await server[Symbol.asyncDispose]();
  t.strictSame(await sockets(), before);
});
