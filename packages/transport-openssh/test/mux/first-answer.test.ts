import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFakeClock } from '@viassh/testing';
import t from 'tap';
import { FirstAnswer } from '../../src/mux/first-answer.ts';
import { FrameReader } from '../../src/mux/frame-reader.ts';
import { ignore, message, mux } from '../../src/mux/messages.ts';
import { openMuxProxy } from '../../src/mux/open-mux-proxy.ts';
import { PacketLink } from '../../src/mux/packet-link.ts';
import { encode } from '../../src/mux/wire.ts';

t.test('the server is nudged from the question on, less and less often, and only until it answers', async (t) => {
  const clock = createFakeClock();
  const nudges: number[] = [];
  const first = new FirstAnswer(() => nudges.push(clock.now()), clock);
  await clock.advance(100);
  t.strictSame(nudges, [], 'nothing was asked');
  first.asked();
  first.asked();
  await clock.advance(10);
  t.strictSame(
    nudges.map((at) => at - 100),
    [1, 2.5, 4.75, 8.125],
  );
  first.settled();
  await clock.advance(10_000);
  first.asked();
  await clock.advance(10_000);
  t.equal(nudges.length, 4, 'answered');
  t.strictSame(clock.pending, []);
});

t.test('a server that never answers is nudged for some seconds, not for ever', async (t) => {
  const clock = createFakeClock();
  let nudges = 0;
  const first = new FirstAnswer(() => (nudges += 1), clock);
  first.asked();
  await clock.advance(60_000);
  t.equal(nudges, 18);
  t.strictSame(clock.pending, []);
});

t.test('the nudge is a well-formed SSH_MSG_IGNORE behind the CHANNEL_OPEN', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'viassh-n-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const socketPath = join(folder, 's');
  const got: Buffer[] = [];
  const { promise: nudged, resolve } = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    const reader = new FrameReader(1 << 16, (body) => {
      got.push(Buffer.from(body));
      if (got.length === 2) socket.write(encode(encode(mux.serverProxy, 0)));
      if (got.length === 4) resolve();
    });
    socket.write(encode(encode(mux.hello, mux.version)));
    socket.on('data', (chunk: Buffer) => reader.filled(chunk.copy(reader.room())));
  }).listen(socketPath);
  await once(server, 'listening');
  const link = new PacketLink(await openMuxProxy(socketPath), () => undefined);
  link.send(message.channelOpen, 'session', 0, 1024, 1024);
  await nudged;
  t.equal(got[2]?.readUInt8(1), message.channelOpen);
  t.strictSame(got[3], Buffer.from([0, ignore, 0, 0, 0, 0]));
  link.socket.destroy();
  server.close();
  await once(server, 'close');
});
