import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { type Channel, ViasshError } from '@viassh/core';
import { watchLeaks, waitUntil } from '@viassh/testing';
import t, { type Test } from 'tap';
import { Passage } from '../../src/forward/passage.ts';
import { listener } from './forward-world.ts';

/** A channel whose far end is the test. */
class TestChannel extends Duplex implements Channel {
  readonly type = 'direct-tcpip';
  readonly heard: Buffer[] = [];
  ended = false;

  constructor() {
    super({ autoDestroy: false });
    this.on('error', () => undefined);
  }

  override _read(): void {
    // the test pushes
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.heard.push(chunk);
    done();
  }

  override _final(done: () => void): void {
    this.ended = true;
    done();
  }
}

/** Both ends of a connection of TCP. */
async function tcpPair(t: Test): Promise<[Socket, Socket]> {
  await watchLeaks(t);
  const accepted = Promise.withResolvers<Socket>();
  const { port } = await listener(t, accepted.resolve);
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => undefined);
  t.teardown(() => client.destroy());
  return [client, await accepted.promise];
}

/** A passage, and what became of it. */
function passage(channel: Channel, socket: Socket) {
  const seen: unknown[] = [];
  new Passage(channel, socket, {
    closed: (error) => seen.push(error?.code ?? 'closed'),
    left: () => seen.push('left'),
  }).start();
  return seen;
}

t.test('a connection that is lost while the end of a client that reads nothing is on its way', async (t) => {
  const [client, socket] = await tcpPair(t);
  const channel = new TestChannel();
  const seen = passage(channel, socket);
  let pushed = 0;
  while (socket.writableLength === 0) {
    channel.push(Buffer.alloc(16 * 1024));
    pushed += 16 * 1024;
    await new Promise((resolve) => setImmediate(resolve));
  }
  channel.push(null);
  await waitUntil('the end to be on its way', () => socket.writableEnded);
  t.notOk(socket.writableFinished);
  channel.destroy(new ViasshError('CONNECTION_LOST', 'gone'));
  t.same(seen, [], 'it still has something to read');
  const ended = once(client, 'end');
  let read = 0;
  client.on('data', (chunk: Buffer) => (read += chunk.length));
  await ended;
  t.equal(read, pushed);
  client.end();
  await waitUntil('nothing to be left', () => seen.length === 2);
  t.same(seen, ['CONNECTION_LOST', 'left']);
});

t.test('a client that reads nothing of its end, and sends on for ever behind it', async (t) => {
  const [client, socket] = await tcpPair(t);
  const channel = new TestChannel();
  const seen = passage(channel, socket);
  while (socket.writableLength === 0) {
    channel.push(Buffer.alloc(16 * 1024));
    await new Promise((resolve) => setImmediate(resolve));
  }
  channel.push(null);
  await waitUntil('the end to be on its way', () => socket.writableEnded);
  channel.destroy();
  for (let sent = 0; sent < 64; sent += 1) client.write(Buffer.alloc(64 * 1024));
  await waitUntil('nothing to be left', () => seen.length === 2);
  t.same(seen, ['closed', 'left']);
});

t.test('a client that had said all before it began', async (t) => {
  const [client, socket] = await tcpPair(t);
  client.end();
  socket.resume();
  await once(socket, 'end');
  const channel = new TestChannel();
  const seen = passage(channel, socket);
  await waitUntil('EOF on the channel', () => channel.ended);
  channel.push('bye');
  channel.push(null);
  t.equal(String((await once(client, 'data'))[0]), 'bye');
  channel.destroy();
  await waitUntil('nothing to be left', () => seen.length === 2);
  t.same(seen, ['closed', 'left']);
});

t.test('a channel or a socket that had gone before it began', async (t) => {
  const [, socket] = await tcpPair(t);
  const gone = new TestChannel();
  gone.destroy(new ViasshError('CONNECTION_LOST', 'gone'));
  await waitUntil('it to be gone', () => gone.closed);
  const seen = passage(gone, socket);
  await waitUntil('nothing to be left', () => seen.length === 2);
  t.same(seen, ['CONNECTION_LOST', 'left']);

  t.ok(socket.closed);
  const channel = new TestChannel();
  const other = passage(channel, socket);
  await waitUntil('nothing to be left', () => other.length === 2);
  t.same(other, ['closed', 'left']);
  t.ok(channel.destroyed);
});
