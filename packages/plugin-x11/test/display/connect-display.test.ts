import { join } from 'node:path';
import { once } from 'node:events';
import { type AddressInfo, createServer, type ListenOptions, type Server } from 'node:net';
import { makeScratchFolder, watchLeaks } from '@viassh/testing';
import t, { type Test } from 'tap';
import { connectDisplay } from '../../src/display/connect-display.ts';
import { parseDisplay } from '../../src/display/parse-display.ts';

const never = new AbortController().signal;

/** Greets who connects with `word`; gone with the test. */
async function greeter(t: Test, place: ListenOptions, word: string): Promise<Server> {
  const server = createServer((socket) => void socket.on('error', () => undefined).end(word));
  await once(server.listen(place), 'listening');
  t.teardown(() => void server.close());
  return server;
}

async function greeting(display: string): Promise<string> {
  const socket = await connectDisplay(parseDisplay(display), never);
  const [word] = (await once(socket.setEncoding('utf8'), 'data')) as [string];
  socket.destroy();
  await once(socket, 'close');
  return word;
}

t.test('every kind of place is reached', async (t) => {
  await watchLeaks(t);
  await using folder = await makeScratchFolder();
  await greeter(t, { path: join(folder.path, 'x:0') }, 'path');
  t.equal(await greeting(join(folder.path, 'x:0')), 'path');
  t.equal(await greeting(`unix:${join(folder.path, 'x:0')}.1`), 'path', 'a screen behind the name of the socket');
  const tcp = await greeter(t, { host: '127.0.0.1', port: 0 }, 'tcp');
  const { port } = tcp.address() as AddressInfo;
  t.equal(await greeting(`127.0.0.1:${port - 6000}`), 'tcp');
  t.equal(await greeting(`localhost:${port - 6000}`), 'tcp');
});

t.test('an X server that has an abstract socket alone', { skip: process.platform !== 'linux' }, async (t) => {
  const number = 50_000 + (process.pid % 9000);
  await greeter(t, { path: `\0/tmp/.X11-unix/X${number}` }, 'abstract');
  t.equal(await greeting(`:${number}`), 'abstract');
});

t.test('nobody is there, and nobody waits', async (t) => {
  await using folder = await makeScratchFolder();
  for (const display of [join(folder.path, 'none:0'), ':58999', '127.0.0.1:58999'])
    await t.rejects(connectDisplay(parseDisplay(display), never), {
      code: 'DISPLAY_UNUSABLE',
      message: /no X server listens there/,
      hint: /xdpyinfo/,
    });
  await t.rejects(connectDisplay(parseDisplay(':58999'), AbortSignal.abort()), { code: 'ABORTED' });
});
