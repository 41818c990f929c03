import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { ViasshError } from '@viassh/core';
import { waitUntil } from '@viassh/testing';
import t, { type Test } from 'tap';
import { socketChannel } from '../../src/forward/socket-channel.ts';
import type { StreamChannel } from '../../src/forward/stream-channel.ts';
import { textOf } from '../bench.ts';

const lost = new ViasshError('CONNECTION_LOST', 'gone');

/** A channel, the master's end of its socket, and how often it was said to be of no more use. */
async function pair(
  t: Test,
  isAlive: () => Promise<boolean> = async () => true,
): Promise<{ channel: StreamChannel; master: Socket; left: () => number }> {
  const folder = await mkdtemp(join(tmpdir(), 'viassh-s-'));
  const server = createServer({ allowHalfOpen: true });
  await once(server.listen(join(folder, 's')), 'listening');
  const socket = connect({ path: join(folder, 's'), allowHalfOpen: true });
  const [[master]] = (await Promise.all([once(server, 'connection'), once(socket, 'connect')])) as [[Socket], unknown];
  master.on('error', () => undefined);
  t.teardown(async () => {
    master.destroy();
    server.close();
    await rm(folder, { recursive: true });
  });
  let left = 0;
  const channel = socketChannel('forwarded-tcpip', socket, isAlive, () => (left += 1));
  return { channel, master, left: () => left };
}

t.test('an answer that came before the far end went is read, whatever we write meanwhile', async (t) => {
  const { channel, master, left } = await pair(t);
  master.end('400 too much');
  await once(master, 'finish');
  master.destroy();
  await once(master, 'close');
  for (let count = 0; count < 5; count += 1) {
    await new Promise((written) => channel.write(Buffer.alloc(65_536), written));
    await turn();
  }
  const closed = once(channel, 'close');
  t.equal(await textOf(channel), '400 too much');
  channel.end();
  await closed;
  t.equal(left(), 1);
});

t.test('an end of file without a sign of life is no end: the loss comes in its place', async (t) => {
  const { channel, master } = await pair(t, async () => false);
  const heard: string[] = [];
  channel.on('data', (chunk: Buffer) => heard.push(chunk.toString())).on('end', () => t.fail('no end'));
  master.end('half a sentence');
  await waitUntil('the bytes', () => heard.length > 0);
  for (let count = 0; count < 5; count += 1) await turn();
  const failed = once(channel, 'error');
  channel.abandon(lost);
  t.equal((await failed)[0], lost);
  t.strictSame(heard, ['half a sentence']);
});

t.test('lost, what the kernel still has is read first, however much', async (t) => {
  const { channel, master } = await pair(t, async () => false);
  const bytes = Buffer.alloc(150_000, 'k');
  master.write(bytes);
  channel.abandon(lost);
  let ended: unknown;
  channel.once('error', (error) => (ended = error));
  master.end();
  await waitUntil('all to be fetched', () => channel.readableLength === bytes.length);
  t.equal(ended, undefined, 'the loss waits for the reader');
  let length = 0;
  channel.on('data', (chunk: Buffer) => (length += chunk.length));
  await waitUntil('the loss', () => ended === lost);
  t.equal(length, bytes.length);
});

t.test('lost and nobody reads: destroy() gives the loss; writes are dropped and do not block', async (t) => {
  const { channel, master } = await pair(t, async () => false);
  master.end('unread');
  channel.abandon(lost);
  await new Promise((written) => channel.write(Buffer.alloc(1_000_000), written));
  await waitUntil('the bytes', () => channel.readableLength > 0);
  const failed = once(channel, 'error');
  channel.destroy();
  t.equal((await failed)[0], lost);
});

t.test('lost: who writes for as long as it is true comes to an end', async (t) => {
  const { channel, master } = await pair(t, async () => false);
  master.write('waits unread');
  await waitUntil('the bytes', () => channel.readableLength > 0);
  channel.abandon(lost);
  const chunk = Buffer.alloc(65_536);
  let writes = 0;
  while (channel.write(chunk) && writes < 10_000) writes += 1;
  t.ok(writes < 10_000);
  await once(channel, 'drain');
  channel.destroy();
});

t.test('lost with nothing to read: destroyed as soon as the socket shows its end', async (t) => {
  const { channel, master, left } = await pair(t, async () => false);
  const failed = once(channel, 'error');
  channel.abandon(lost);
  t.equal(left(), 1, 'it is of no more use at once');
  master.end();
  t.equal((await failed)[0], lost);
  t.equal(left(), 1);
});

t.test('not read, not fetched: the writer has to wait', async (t) => {
  const { channel, master } = await pair(t);
  const bytes = Buffer.alloc(8 * 1024 * 1024, 'x');
  master.end(bytes);
  await once(channel, 'readable');
  for (let count = 0; count < 50; count += 1) await turn();
  t.ok(master.writableLength > 0, 'the writer waits');
  t.ok(channel.readableLength <= 2 * 1024 * 1024);
  t.equal((await textOf(channel)).length, bytes.length);
});
