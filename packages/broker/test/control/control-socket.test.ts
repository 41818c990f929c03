import { once } from 'node:events';
import { chmod, chown, mkdir, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { ViasshError } from '@viassh/core';
import { waitUntil } from '@viassh/testing';
import t from 'tap';
import { askBroker, followLogs, openControl } from '../../src/control/ask-broker.ts';
import { prepareRuntimeFolder } from '../../src/control/runtime-folder.ts';
import { controlWorld, runtimeFolder } from './control-world.ts';

async function clientOf(path: string): Promise<Socket> {
  const socket = connect({ path, allowHalfOpen: true }).on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

async function saidTo(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket.setEncoding('utf8')) text += String(chunk);
  return text;
}

t.test('a question gets its answer, and a failure its code and hint', async (t) => {
  const { path, asked } = await controlWorld(t, async ({ ask }) => {
    if (ask === 'reload') throw new ViasshError('CONFIG_INVALID', 'no', { hint: 'correct it' });
    return { answer: { ok: true, said: ['well'] } };
  });
  t.same(await askBroker(path, { ask: 'up', names: ['web'] }), { ok: true, said: ['well'] });
  t.same(asked, [{ version: 1, ask: 'up', names: ['web'] }]);
  t.same(await askBroker(path, { ask: 'reload' }), {
    ok: false,
    code: 'CONFIG_INVALID',
    message: 'no',
    hint: 'correct it',
  });
  t.equal((await stat(path)).mode & 0o777, 0o600);
});

t.test('what comes behind the answer is for who reads next, bytes unharmed', async (t) => {
  const { path } = await controlWorld(t, async () => ({
    answer: { ok: true },
    afterwards: async (socket) => {
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      socket.write(Buffer.concat([Buffer.from([0, 255, 10]), chunk]));
    },
  }));
  const { answer, socket } = await openControl(path, {
    ask: 'lease',
    key: 'k',
    destination: 'd',
    ssh: [],
    transport: 'auto',
  });
  t.same(answer, { ok: true });
  socket.write(Buffer.from([1, 254]));
  const [back] = (await once(socket, 'data')) as [Buffer];
  t.same([...back], [0, 255, 10, 1, 254]);
  socket.destroy();
});

t.test('no broker, a dead one, a socket of nobody: all are no broker', async (t) => {
  const folder = await runtimeFolder(t);
  const path = join(folder, 'control.sock');
  await t.rejects(askBroker(path, { ask: 'status' }), { code: 'BROKER_ABSENT' });
  await t.rejects(askBroker(join(folder, 'none', 'control.sock'), { ask: 'status' }), { code: 'BROKER_ABSENT' });
  const dead = createServer().listen(join(folder, 'dead'));
  await once(dead, 'listening');
  await rename(join(folder, 'dead'), path);
  dead.close();
  await t.rejects(askBroker(path, { ask: 'status' }), { code: 'BROKER_ABSENT' });
});

t.test('a folder in which others may put a socket is refused, by both sides', async (t) => {
  const { folder, path } = await controlWorld(t);
  for (const mode of [0o770, 0o707, 0o750, 0o701]) {
    await chmod(folder, mode);
    await t.rejects(prepareRuntimeFolder(folder), { code: 'FOLDER_UNSAFE', message: /mode 07/, hint: /chmod 700/ });
    await t.rejects(askBroker(path, { ask: 'status' }), { code: 'FOLDER_UNSAFE' });
  }
  await chmod(folder, 0o700);
  t.same(await askBroker(path, { ask: 'status' }), { ok: true });
});

t.test(
  'a folder or a socket of somebody else is refused',
  { skip: userInfo().uid !== 0 && 'needs root' },
  async (t) => {
    const { folder, path } = await controlWorld(t);
    await chown(folder, 65_534, 65_534);
    await t.rejects(prepareRuntimeFolder(folder), { code: 'FOLDER_UNSAFE', message: /uid 65534/ });
    await t.rejects(askBroker(path, { ask: 'status' }), { code: 'FOLDER_UNSAFE' });
    await chown(folder, 0, 0);
    await chown(path, 65_534, 65_534);
    await t.rejects(askBroker(path, { ask: 'status' }), { code: 'FOLDER_UNSAFE', message: /uid 65534/ });
  },
);

t.test('a link or a file in the place of the folder is refused, a missing one is made', async (t) => {
  const folder = await runtimeFolder(t);
  await mkdir(join(folder, 'real'), { mode: 0o700 });
  await symlink(join(folder, 'real'), join(folder, 'link'));
  await writeFile(join(folder, 'file'), '');
  await t.rejects(prepareRuntimeFolder(join(folder, 'link')), { code: 'FOLDER_UNSAFE', message: /no folder/ });
  await t.rejects(prepareRuntimeFolder(join(folder, 'file')), { code: 'FOLDER_UNSAFE' });
  await prepareRuntimeFolder(join(folder, 'new', 'run'));
  t.equal((await stat(join(folder, 'new', 'run'))).mode & 0o777, 0o700);
});

t.test('garbage, half a line and another version are told so, and harm nobody else', async (t) => {
  const { path, asked } = await controlWorld(t);
  for (const [line, message] of [
    ['\0\xff\n', /no JSON/],
    ['[1]\n', /no object/],
    ['{"version":2,"ask":"status"}\n', /version 1, and not 2/],
    ['{"version":1,"ask":"dance"}\n', /dance/],
    ['{"version":1,"ask":"up","names":"web"}\n', /names/],
    ['{"version":1,"ask":"lease","key":1}\n', /key/],
    ['{"version":1', /half a line/],
    ['', /half a line/],
    [`${'x'.repeat(70_000)}\n`, /65536/],
  ] as const) {
    const client = await clientOf(path);
    client.end(line);
    const answer = JSON.parse(await saidTo(client)) as object;
    t.match(answer, { ok: false, code: 'BROKER_PROTOCOL', message });
  }
  t.same(asked, []);
  t.same(await askBroker(path, { ask: 'status' }), { ok: true });
});

t.test('a flood without a line is cut off, and clients who say nothing leave room for others', async (t) => {
  const { path } = await controlWorld(t);
  const flood = await clientOf(path);

  const pour = (): void => {
    while (!flood.destroyed && flood.write(Buffer.alloc(65_536, 0x41)));
  };
  flood.on('drain', pour).resume();
  pour();
  await waitUntil('the flood to be cut off', () => flood.destroyed);
  const silent = await Promise.all(Array.from({ length: 200 }, () => clientOf(path)));
  for (const socket of silent) socket.resume();
  await waitUntil(
    'most of them to be turned away',
    () => silent.filter(({ readableEnded }) => readableEnded).length === 136,
  );
  for (const socket of silent) socket.destroy();
  await waitUntil('others to be answered', async () =>
    askBroker(path, { ask: 'status' }).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
});

t.test('a server that closes lets go of those who wait', async (t) => {
  const { path, server, asked } = await controlWorld(t, async (_, signal) => {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    return { answer: { ok: true } };
  });
  const waiting = askBroker(path, { ask: 'status' });
  const failed = t.rejects(waiting, { code: 'BROKER_PROTOCOL' });
  await waitUntil('the question', () => asked.length === 1);
  await server.close();
  await failed;
  await t.rejects(askBroker(path, { ask: 'status' }), { code: 'BROKER_ABSENT' });
});

t.test('lines of a log come as they are said, until the caller has enough', async (t) => {
  const { path } = await controlWorld(t, async () => ({
    answer: { ok: true },
    afterwards: async (socket, signal) => {
      socket.write('one\ntw');
      socket.write('o\n');
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    },
  }));
  const lines: string[] = [];
  for await (const line of followLogs(path, { follow: true })) {
    lines.push(line);
    if (lines.length === 2) break;
  }
  t.same(lines, ['one', 'two']);
  const stop = new AbortController();
  const seen: string[] = [];
  for await (const line of followLogs(path, { follow: true, signal: stop.signal })) {
    seen.push(line);
    if (seen.length === 2) stop.abort();
  }
  t.same(seen, ['one', 'two']);
});
