import { createHash, randomBytes } from 'node:crypto';
import { startFaultyRelay, waitUntil, watchLeaks } from '@viassh/testing';
import t from 'tap';
import { startEcho } from '../../src/faults/echo-server.ts';
import { dial } from './dial.ts';

await watchLeaks(t);

t.test('bytes and half-closes pass as they are', async (t) => {
  await using echo = await startEcho();
  await using relay = await startFaultyRelay({ to: echo.port });
  using client = await dial(relay.port);
  const bytes = randomBytes(3 * 1024 * 1024);
  client.socket.end(bytes);
  await waitUntil('the end', client.ending);
  t.equal(digest(Buffer.concat(client.chunks)), digest(bytes));
  t.equal(client.ending(), 'end');
  await waitUntil('the wire to be gone', () => relay.wires.length === 0);
});

t.test('a delay is one way, keeps the order and does not limit the bandwidth', async (t) => {
  await using echo = await startEcho();
  await using relay = await startFaultyRelay({ to: echo.port, delayMs: 40 });
  using client = await dial(relay.port);
  const bytes = randomBytes(8 * 1024 * 1024);
  const begin = performance.now();
  client.socket.write(bytes.subarray(0, 1));
  await waitUntil('the first byte', () => client.chunks.length > 0, { everyMs: 1 });
  t.ok(performance.now() - begin >= 79, 'there and back');
  client.socket.end(bytes.subarray(1));
  await waitUntil('the end', client.ending);
  t.equal(digest(Buffer.concat(client.chunks)), digest(bytes));
});

t.test('a stall holds one direction, and the end too', async (t) => {
  await using echo = await startEcho();
  await using relay = await startFaultyRelay({ to: echo.port });
  using client = await dial(relay.port);
  client.socket.write('one');
  await waitUntil('the echo', () => client.text() === 'one');
  relay.stall('toClient');
  client.socket.end('two');
  await waitUntil('the far end to have it', () => echo.sockets[0]?.bytesRead === 6 && echo.sockets[0].writableEnded);
  t.equal(client.text(), 'one');
  t.equal(client.ending(), undefined);
  relay.resume('toClient');
  await waitUntil('the end', client.ending);
  t.equal(client.text(), 'onetwo');
});

t.test('small packets: all arrives, in pieces', async (t) => {
  await using echo = await startEcho();
  await using relay = await startFaultyRelay({ to: echo.port, maxChunk: 7 });
  using client = await dial(relay.port);
  const bytes = randomBytes(5000);
  const sizes: number[] = [];
  await waitUntil('the far end', () => echo.sockets[0]);
  echo.sockets[0]?.on('data', (chunk: Buffer) => sizes.push(chunk.length));
  client.socket.end(bytes);
  await waitUntil('the end', client.ending);
  t.equal(digest(Buffer.concat(client.chunks)), digest(bytes));
  t.ok(sizes.length > 1, `${sizes.length} pieces`);
});

t.test('a trickle: so many bytes a tick', async (t) => {
  await using echo = await startEcho();
  await using relay = await startFaultyRelay({ to: echo.port, trickle: { bytes: 10, everyMs: 5 } });
  using client = await dial(relay.port);
  const begin = performance.now();
  client.socket.end(Buffer.alloc(200, 'x'));
  await waitUntil('the end', client.ending);
  t.equal(client.text(), 'x'.repeat(200));
  t.ok(performance.now() - begin >= 90, 'twenty ticks');
});

for (const how of ['fin', 'rst'] as const) {
  t.test(`a cut by ${how} is seen by both ends`, async (t) => {
    await using echo = await startEcho();
    await using relay = await startFaultyRelay({ to: echo.port });
    using client = await dial(relay.port);
    client.socket.write('one');
    await waitUntil('the echo', () => client.text() === 'one');
    let farEnding: string | undefined;
    echo.sockets[0]?.on('end', () => (farEnding ??= 'end')).on('error', () => (farEnding ??= 'reset'));
    relay.cut({ how });
    await waitUntil('both ends to notice', () => client.ending() !== undefined && farEnding !== undefined);
    t.equal(client.ending(), how === 'fin' ? 'end' : 'ECONNRESET');
    t.equal(farEnding, how === 'fin' ? 'end' : 'reset');
    client.socket.destroy();
    await waitUntil('the wire to be gone', () => relay.wires.length === 0);
  });
}

t.test('a cut at the n-th byte of a direction: n arrive, and no more', async (t) => {
  await using echo = await startEcho();
  await using relay = await startFaultyRelay({ to: echo.port });
  relay.at({ direction: 'toClient', bytes: 5 }, (wire) => wire.cut({ how: 'fin' }));
  using client = await dial(relay.port);
  client.socket.write('0123456789');
  await waitUntil('the end', client.ending);
  t.equal(client.text(), '01234');
});

t.test('the last n bytes are lost of what was under way', async (t) => {
  await using echo = await startEcho();
  await using relay = await startFaultyRelay({ to: echo.port });
  using client = await dial(relay.port);
  client.socket.write('start');
  await waitUntil('the echo', () => client.text() === 'start');
  let held = false;
  relay.stall('toClient');
  relay.at({ direction: 'toClient', bytes: 9 }, () => (held = true));
  client.socket.write('0123456789');
  await waitUntil('the answer to be under way', () => held);
  await new Promise(setImmediate);
  relay.cut({ how: 'fin', lose: 3 });
  await waitUntil('the end', client.ending);
  t.equal(client.text(), 'start0123456');
});

t.test('points are told to each new wire, until forgotten', async (t) => {
  await using echo = await startEcho();
  await using relay = await startFaultyRelay({ to: echo.port });
  relay.at({ direction: 'toServer', bytes: 0 }, (wire) => wire.cut({ how: 'rst' }));
  for (const round of [1, 2]) {
    using client = await dial(relay.port);
    client.socket.write('x');
    t.ok(await waitUntil('the reset', client.ending), `round ${round}`);
  }
  relay.forget();
  using client = await dial(relay.port);
  client.socket.write('through');
  await waitUntil('the echo', () => client.text() === 'through');
});

t.test('nobody behind it: the client is reset', async (t) => {
  const echo = await startEcho();
  await echo[Symbol.asyncDispose]();
  await using relay = await startFaultyRelay({ to: echo.port });
  using client = await dial(relay.port);
  t.equal(await waitUntil('the reset', client.ending), 'ECONNRESET');
});

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
