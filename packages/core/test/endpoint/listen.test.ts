import { once } from 'node:events';
import { mkdir, readdir, readFile, rename, stat, symlink, unlink, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { listen, type NearEnd, type NearListener } from '@viassh/core';
import { scratchFolder } from '../scratch-folder.ts';

const anyPort: NearEnd = { kind: 'tcp', host: '127.0.0.1', port: 0 };

/** What a listener says to a new client. */
const greet = (client: Socket): void => void client.end('hello');

async function heardFrom({ nearEnd }: NearListener): Promise<string> {
  const client = nearEnd.kind === 'unix' ? connect(nearEnd.path) : connect(nearEnd.port, nearEnd.host);
  let text = '';
  for await (const chunk of client) text += String(chunk);
  return text;
}

t.test('a free port is chosen and told, and is free again after', async (t) => {
  const listener = await listen(anyPort, greet);
  const { nearEnd } = listener;
  t.match(nearEnd, { kind: 'tcp', host: '127.0.0.1' });
  t.equal(await heardFrom(listener), 'hello');
  await t.rejects(listen(nearEnd, greet), {
    code: 'LISTEN_FAILED',
    message: /another program/,
    hint: /another place;.*a connection that has ended/,
  });
  await Promise.all([listener.close(), listener.close()]);
  await t.rejects(heardFrom(listener), { code: 'ECONNREFUSED' });
  const again = await listen(nearEnd, greet);
  await again.close();
});

t.test('a socket is for its owner alone, nothing is beside it, and it goes with its listener', async (t) => {
  const folder = await scratchFolder(t);
  const path = join(folder, 'a.sock');
  const listener = await listen({ kind: 'unix', path }, greet);
  t.strictSame(await readdir(folder), ['a.sock']);
  t.equal((await stat(path)).mode & 0o777, 0o600);
  t.equal(await heardFrom(listener), 'hello');
  await listener.close();
  t.strictSame(await readdir(folder), []);
});

t.test('a socket that nobody listens on any more is replaced, one in use is not', async (t) => {
  const folder = await scratchFolder(t);
  const path = join(folder, 'a.sock');
  const first = await listen({ kind: 'unix', path }, greet);
  await t.rejects(listen({ kind: 'unix', path }, greet), { code: 'LISTEN_FAILED', message: /another program/ });
  t.equal(await heardFrom(first), 'hello');
  await first.close();

  const dead = createServer();
  dead.listen(join(folder, 'dead'));
  await once(dead, 'listening');
  await rename(join(folder, 'dead'), path); // its name is not taken away when it closes
  dead.close();
  await once(dead, 'close');
  t.strictSame(await readdir(folder), ['a.sock']);
  const second = await listen({ kind: 'unix', path }, greet);
  t.equal(await heardFrom(second), 'hello');
  await second.close();
});

t.test('a socket that another listener has put in its place stays when the first one ends', async (t) => {
  const path = join(await scratchFolder(t), 'a.sock');
  const first = await listen({ kind: 'unix', path }, greet);
  await unlink(path);
  const second = await listen({ kind: 'unix', path }, greet);
  await first.close();
  t.equal(await heardFrom(second), 'hello');
  await second.close();
});

t.test('what is no socket is left as it is', async (t) => {
  const folder = await scratchFolder(t);
  const [file, link] = [join(folder, 'letter'), join(folder, 'link')];
  await writeFile(file, 'dear');
  await symlink(file, link);
  for (const path of [file, link, folder])
    await t.rejects(listen({ kind: 'unix', path }, greet), { code: 'LISTEN_FAILED', hint: /nothing was changed/ });
  t.equal(await readFile(file, 'utf8'), 'dear');
  t.strictSame((await readdir(folder)).toSorted(), ['letter', 'link']);
});

t.test('a place that cannot be is LISTEN_FAILED with what to do', async (t) => {
  const folder = await scratchFolder(t);
  const long = join(folder, 'x'.repeat(100 - Buffer.byteLength(folder)));
  await mkdir(long);
  for (const [nearEnd, hint] of [
    [{ kind: 'unix', path: join(folder, 'none', 'a.sock') }, /make the folder/],
    [{ kind: 'unix', path: join(long, 's') }, /shorter/],
    [{ kind: 'tcp', host: '192.0.2.1', port: 0 }, /127\.0\.0\.1/],
    [{ kind: 'tcp', host: 'no-such-host.invalid', port: 0 }, /./],
  ] as const)
    await t.rejects(listen(nearEnd, greet), { code: 'LISTEN_FAILED', message: /^cannot listen on /, hint });
  t.strictSame(await readdir(long), []);
});

t.test('what was aborted before it began listens on nothing', async (t) => {
  const folder = await scratchFolder(t);
  await t.rejects(listen({ kind: 'unix', path: join(folder, 's') }, greet, { signal: AbortSignal.abort() }), {
    code: 'ABORTED',
  });
  t.strictSame(await readdir(folder), []);
});

t.test('clients outlive their listener, and one that resets ends no process', async (t) => {
  const { promise, resolve } = Promise.withResolvers<Socket>();
  const listener = await listen(anyPort, resolve);
  const { nearEnd } = listener;
  const near = connect((nearEnd as Extract<NearEnd, { kind: 'tcp' }>).port, '127.0.0.1');
  const far = await promise;
  await listener.close();
  far.write('still here');
  t.equal(String((await once(near, 'data'))[0]), 'still here');
  far.resume();
  const closed = new Promise((resolve) => far.once('close', resolve));
  near.resetAndDestroy();
  await closed;
  t.match(far.errored, { code: 'ECONNRESET' });
});
