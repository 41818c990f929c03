import { once } from 'node:events';
import { ViasshError } from '@viassh/core';
import { waitUntil } from '@viassh/testing';
import t from 'tap';
import { ProxySession } from '../../src/channel/proxy-session.ts';
import { MAX_PACKET, WINDOW } from '../../src/channel/window.ts';
import { message } from '../../src/mux/messages.ts';
import { openMuxProxy } from '../../src/mux/open-mux-proxy.ts';
import { encode, WireReader } from '../../src/mux/wire.ts';
import { type FakeMaster, fakeMaster } from '../mux/fake-master.ts';

const REMOTE_ID = 77;

async function openSocketChannel(master: FakeMaster, { window = 1 << 20, maxPacket = 32_768 } = {}) {
  const proxy = await openMuxProxy(master.socketPath);
  proxy.socket.on('error', () => undefined);
  const session = new ProxySession(proxy);
  const opening = session.openDirectTcpip({ host: 'db', port: 5432 });
  const open = await master.next();
  master.sendPacket(message.channelOpenConfirmation, 0, REMOTE_ID, window, maxPacket);
  return { proxy, session, open, channel: await opening };
}

async function nextOfType(master: FakeMaster, type: number): Promise<WireReader> {
  for (;;) {
    const frame = await master.next();
    if (frame.readUInt8(1) === type) return new WireReader(frame, 2);
  }
}

t.test('an open request is what RFC 4254 §7.2 says', async (t) => {
  await using master = await fakeMaster({ handshake: true });
  const { open, proxy } = await openSocketChannel(master);
  t.strictSame(open.subarray(2), encode('direct-tcpip', 0, WINDOW, MAX_PACKET, 'db', 5432, '127.0.0.1', 0));
  proxy.socket.destroy();
});

t.test('writes stop at the window and go on with a grant, never in packets above the maximum', async (t) => {
  await using master = await fakeMaster({ handshake: true });
  const { channel, proxy } = await openSocketChannel(master, { window: 10, maxPacket: 4 });
  let written = false;
  channel.write(Buffer.from('0123456789abcdef'), () => (written = true));
  const sizes: number[] = [];
  for (let got = 0; got < 10; got += sizes.at(-1) ?? 0) {
    const fields = await nextOfType(master, message.channelData);
    fields.uint32();
    sizes.push(fields.bytes().length);
  }
  t.strictSame(sizes, [4, 4, 2]);
  t.equal(written, false, 'the rest waits for the window');
  master.sendPacket(message.channelWindowAdjust, 0, 100);
  const rest = await nextOfType(master, message.channelData);
  rest.uint32();
  t.equal(rest.text(), 'abcd');
  proxy.socket.destroy();
});

t.test('window is granted again only for what was read', async (t) => {
  await using master = await fakeMaster({ handshake: true });
  const { channel, proxy } = await openSocketChannel(master);
  const block = Buffer.alloc(32_768);
  for (let sent = 0; sent < WINDOW; sent += block.length) master.sendPacket(message.channelData, 0, block);
  channel.end('asked'); // comes back only after all of the above was taken in
  master.sendPacket(message.channelRequest, 0, 'no-such-request', true);
  let granted = 0;
  for (;;) {
    const frame = await master.next();
    if (frame.readUInt8(1) === message.channelWindowAdjust) granted += frame.readUInt32BE(6);
    if (frame.readUInt8(1) === message.channelFailure) break;
  }
  t.equal(granted, 0, 'nobody has read');
  channel.resume();
  while (granted < WINDOW) {
    const fields = await nextOfType(master, message.channelWindowAdjust);
    fields.uint32();
    granted += fields.uint32();
  }
  t.equal(granted, WINDOW);
  proxy.socket.destroy();
});

t.test('a far end that sends beyond its window breaks the connection, not the memory', async (t) => {
  await using master = await fakeMaster({ handshake: true });
  const { proxy } = await openSocketChannel(master);
  const closed = new Promise<unknown>((resolve) => proxy.socket.once('close', resolve));
  const block = Buffer.alloc(32_768);
  for (let sent = 0; sent <= WINDOW; sent += block.length) master.sendPacket(message.channelData, 0, block);
  await t.resolves(closed);
});

for (const [what, send] of [
  [
    'a confirmation nobody asked for',
    (master: FakeMaster) => master.sendPacket(message.channelOpenConfirmation, 9, 9, 9, 9),
  ],
  ['a message that is shorter than it says', (master: FakeMaster) => master.sendPacket(message.channelData, 0, 1000)],
] as const) {
  t.test(`${what} breaks the connection and nothing else`, async (t) => {
    await using master = await fakeMaster({ handshake: true });
    const { proxy } = await openSocketChannel(master);
    const closed = new Promise<unknown>((resolve) => proxy.socket.once('close', resolve));
    send(master);
    await t.resolves(closed);
  });
}

t.test('a channel that the far end opens is refused', async (t) => {
  await using master = await fakeMaster({ handshake: true });
  const { proxy } = await openSocketChannel(master);
  master.sendPacket(message.channelOpen, 'x11', 5, 1000, 1000, '127.0.0.1', 6000);
  const refusal = await nextOfType(master, message.channelOpenFailure);
  t.equal(refusal.uint32(), 5);
  t.equal(refusal.uint32(), 1, 'administratively prohibited');
  proxy.socket.destroy();
});

t.test('an abort during open closes the channel that comes after all', async (t) => {
  await using master = await fakeMaster({ handshake: true });
  const proxy = await openMuxProxy(master.socketPath);
  const session = new ProxySession(proxy);
  const controller = new AbortController();
  const opening = session.openDirectTcpip({ host: 'db', port: 1 }, controller.signal);
  await master.next();
  controller.abort();
  await t.rejects(opening, { code: 'ABORTED' });
  master.sendPacket(message.channelOpenConfirmation, 0, REMOTE_ID, 1000, 1000);
  t.equal((await nextOfType(master, message.channelClose)).uint32(), REMOTE_ID);
  master.sendPacket(message.channelClose, 0);
  await t.resolves(session.idle());
  proxy.socket.destroy();
});

t.test('a loss reaches open channels, pending opens and their readers', async (t) => {
  await using master = await fakeMaster({ handshake: true });
  const { session, channel } = await openSocketChannel(master);
  const pending = session.openDirectStreamlocal('/run/x');
  pending.catch(() => undefined);
  await master.next();
  const failed: Promise<unknown> = once(channel, 'error').catch((error: unknown) => error);
  session.end(new ViasshError('CONNECTION_LOST', 'gone'), true);
  t.match(await failed, [{ code: 'CONNECTION_LOST' }]);
  await t.rejects(pending, { code: 'CONNECTION_LOST' });
  await t.rejects(session.openDirectTcpip({ host: 'a', port: 1 }), { code: 'CONNECTION_LOST' });
});

t.test('who writes for as long as it is true comes to an end on a channel that was lost', async (t) => {
  await using master = await fakeMaster({ handshake: true });
  const { channel, session } = await openSocketChannel(master);
  master.sendPacket(message.channelData, 0, Buffer.from('waits unread'));
  channel.read(0); // it fetches
  await waitUntil('the bytes', () => channel.readableLength > 0);
  session.end(new ViasshError('CONNECTION_LOST', 'gone'), true);
  t.equal(channel.destroyed, false, 'what came waits');
  const chunk = Buffer.alloc(65_536);
  let writes = 0;
  while (channel.write(chunk) && writes < 10_000) writes += 1;
  t.ok(writes < 10_000);
  channel.destroy();
});
