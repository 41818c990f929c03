import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { abortedError, toViasshError } from '@viassh/core';
import { waitUntil } from '@viassh/testing';
import t from 'tap';
import { FrameKind, frameHead } from '../../src/lease/wire/frame.ts';
import { cutOff, frame, hello, leaseBench } from './lease-bench.ts';

const MEBIBYTE = 1024 * 1024;
const session = (command: string, window: number) => ({ what: 'session', request: { kind: 'exec', command }, window });

const rude: Readonly<Record<string, readonly Buffer[]>> = {
  'an HTTP request': [Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
  'random bytes': [Buffer.concat([Buffer.from([0xff]), randomBytes(100_000)])],
  'another version': [frame(FrameKind.hello, 0, { version: 999 })],
  'a frame before the greeting': [frame(FrameKind.open, 1, { what: 'ping' })],
  'a frame of 4 GiB': [hello, frameHead(FrameKind.open, 1, 0xffffffff)],
  'data of more than a frame may have': [hello, frameHead(FrameKind.data, 1, 65_537)],
  'a kind that there is not': [hello, frame(99 as FrameKind, 0)],
  'data for nothing': [hello, frame(FrameKind.data, 1, Buffer.from('x'))],
  'an id of the broker': [hello, frame(FrameKind.open, 2, { what: 'ping' })],
  'an id twice': [hello, frame(FrameKind.open, 1, { what: 'ping' }), frame(FrameKind.open, 1, { what: 'ping' })],
  'data before the answer': [
    hello,
    frame(FrameKind.open, 1, session('cat', 65_536)),
    frame(FrameKind.data, 1, Buffer.from('x')),
  ],
};

for (const [what, sent] of Object.entries(rude)) {
  t.test(`${what}: cut off, and another lease lives on`, async (t) => {
    const bench = await leaseBench(t);
    const { leased } = await bench.lease();
    const { client, lease } = await bench.rude();
    for (const part of sent) client.write(part);
    await Promise.all([cutOff(client), lease.closed]);
    t.match(bench.warnings, [/^lease: cut off: /]);
    t.strictSame(await (await leased.openSession({ kind: 'exec', command: 'exit 3' })).resume().exit, {
      kind: 'status',
      code: 3,
    });
  });
}

t.test('requests that are none are refused one by one, and the lease lives on', async (t) => {
  const { client, lease } = await (await leaseBench(t)).rude();
  const bodies = [
    {},
    { what: 'session', window: 1 },
    { what: 'session', window: -1, request: { kind: 'exec', command: 'true' } },
    { what: 'session', window: 1, request: { kind: 'exec', command: 7 } },
    { what: 'session', window: 1, request: { kind: 'exec', command: 'true', env: { A: 1 } } },
    { what: 'direct-tcpip', window: 1, target: { host: 'x', port: 'x' } },
    { what: 'tun', window: 1, request: { mode: 'x' } },
    { what: 'forward', request: { kind: 'x' } },
  ];
  client.write(hello);
  for (const [index, body] of bodies.entries()) client.write(frame(FrameKind.open, 2 * index + 1, body));
  let heard = '';
  client.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')));
  await waitUntil('all the answers', () => heard.split('OPTION_INVALID').length === bodies.length + 1);
  t.equal(lease.size, 0);
  client.destroy();
  await lease.closed;
});

t.test('half a frame and then the end, or the end alone: all is closed', async (t) => {
  for (const last of [frameHead(FrameKind.open, 3, 100), Buffer.alloc(0)]) {
    const { client, lease } = await (await leaseBench(t)).rude();
    client.write(Buffer.concat([hello, frame(FrameKind.open, 1, session('exec sleep 600', 65_536))]));
    await waitUntil('the session', () => lease.size === 1);
    client.resume().end(last);
    await lease.closed;
    t.equal(lease.size, 0);
  }
});

t.test('a client that dies: its commands, channels and forwards are closed, those of others are not', async (t) => {
  const bench = await leaseBench(t);
  const [stays, dies] = [await bench.lease(), await bench.lease()];
  const other = await stays.leased.openSession({ kind: 'exec', command: 'cat' });
  const command = await dies.leased.openSession({ kind: 'exec', command: 'echo $$; exec sleep 600' });
  command.on('error', () => undefined);
  const pid = String(((await once(command, 'data')) as [Buffer])[0]).trim();
  t.match(await commandOf(pid), /^sleep/);
  const listener = await dies.leased.requestForward({ kind: 'tcpip', port: 0 }, (incoming) => void incoming.accept());
  t.equal(dies.lease.size, 2);
  dies.server.destroy(); // for the broker it is the same whose end goes
  await dies.lease.closed;
  t.match(await dies.leased.closed, { kind: 'lost', error: { code: 'CONNECTION_LOST' } });
  await listener.closed;
  await waitUntil('the far end not to listen', async () => {
    const port = listener.address.kind === 'tcpip' ? listener.address.port.toString(16).toUpperCase() : '';
    return !(await readFile('/proc/net/tcp', 'utf8')).includes(`:${port.padStart(4, '0')} 00000000:0000 0A`);
  });
  await waitUntil('the command to end', async () => (await commandOf(pid)) === '');
  other.end('still here');
  let heard = '';
  for await (const chunk of other) heard += String(chunk);
  t.equal(heard, 'still here');
});

t.test('who sends more than the window, is cut off, and no more than that was kept', async (t) => {
  const { client, lease } = await (await leaseBench(t)).rude();
  client.write(Buffer.concat([hello, frame(FrameKind.open, 1, session('exec sleep 600', 65_536))]));
  await waitUntil('the session', () => lease.size === 1);
  client.resume();
  const heap = process.memoryUsage().arrayBuffers;
  let most = 0;
  const piece = frame(FrameKind.data, 1, Buffer.alloc(65_536));
  for (let sent = 0; sent < 64 * MEBIBYTE && client.writable; sent += 65_536) {
    if (!client.write(piece)) await new Promise((resolve) => client.once('drain', resolve).once('close', resolve));
    most = Math.max(most, process.memoryUsage().arrayBuffers - heap);
  }
  await cutOff(client);
  await lease.closed;
  t.ok(most < 32 * MEBIBYTE, `${most} bytes`);
});

t.test('who reads nothing holds up nobody, and what waits for it is bounded', async (t) => {
  const bench = await leaseBench(t);
  const { client, server, lease } = await bench.rude();
  client.pause();
  client.write(hello);
  for (let index = 0; index < 40; index += 1)
    client.write(frame(FrameKind.open, 2 * index + 1, session('exec cat /dev/zero', 0xffffffff)));
  await waitUntil('all to write', () => lease.size === 40 && server.writableLength > 200_000);
  const { leased } = await bench.lease();
  const answer = await leased.openSession({ kind: 'exec', command: 'head -c 4000000 /dev/zero | wc -c' });
  let heard = '';
  for await (const chunk of answer) heard += String(chunk);
  t.equal(heard.trim(), '4000000');
  t.ok(server.writableLength < 2 * MEBIBYTE, `${server.writableLength} bytes wait`);
  client.destroy();
  await lease.closed;
});

t.test('who asks and asks and reads nothing is not heard any more, until it reads', async (t) => {
  const { client, server, lease } = await (await leaseBench(t)).rude();
  client.pause();
  client.write(hello);
  const long = 'x'.repeat(30_000);
  let id = 1;
  const ask = (): boolean => {
    id += 2;
    return client.write(frame(FrameKind.open, id - 2, { what: 'direct-streamlocal', path: `/${long}`, window: 1 }));
  };
  await waitUntil('it is held back', () => {
    while (ask());
    return server.isPaused();
  });
  t.ok(server.writableLength < 16 * MEBIBYTE, `${server.writableLength} bytes wait`);
  client.resume();
  await waitUntil('it is heard again', () => lease.size === 0 && server.writableLength === 0);
  client.destroy();
  await lease.closed;
});

t.test('more channels than one may have: CHANNEL_REFUSED, and the lease lives on', async (t) => {
  const bench = await leaseBench(t);
  const { leased, lease } = await bench.lease();
  const ping = bench.connection.ping.bind(bench.connection);
  bench.connection.ping = async ({ signal } = {}) => {
    await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }));
    throw abortedError(signal?.reason);
  };
  const aborting = new AbortController();
  const all = Array.from({ length: 5000 }, () => codeOf(leased.ping({ signal: aborting.signal })));
  await waitUntil('as many as may be', () => lease.size === 4096);
  t.equal(await codeOf(leased.openDirectStreamlocal('/nowhere')), 'CHANNEL_REFUSED');
  bench.connection.ping = ping;
  aborting.abort();
  const codes = await Promise.all(all);
  t.equal(codes.filter((code) => code === 'CHANNEL_REFUSED').length, 5000 - 4096);
  t.equal(codes.filter((code) => code === 'ABORTED').length, 4096);
  t.equal(typeof (await leased.ping()), 'number');
  t.equal(lease.size, 0);
});

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => 'no error at all',
    (error: unknown) => toViasshError(error).code,
  );
}

/** What a process runs; nothing when there is none. */
async function commandOf(pid: string): Promise<string> {
  return await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
}
