import { longestPacket } from '@viassh/core';
import t from 'tap';
import { ProxySession } from '../../src/channel/proxy-session.ts';
import type { TunChannel } from '../../src/channel/tun-channel.ts';
import { MAX_PACKET, WINDOW } from '../../src/channel/window.ts';
import { message } from '../../src/mux/messages.ts';
import { openMuxProxy } from '../../src/mux/open-mux-proxy.ts';
import { encode, WireReader } from '../../src/mux/wire.ts';
import { type FakeMaster, fakeMaster } from '../mux/fake-master.ts';

const REMOTE_ID = 9;
const ipv4 = Buffer.from([0x45, 1, 2, 3]);
const ipv6 = Buffer.from([0x60, 4, 5, 6, 7]);
const inet = Buffer.from([0, 0, 0, 2]);
const inet6 = Buffer.from([0, 0, 0, 24]);
/** Grants go in steps of so many bytes. */
const STEP = WINDOW / 8;

/** Data of packets, as long together as `bytes`. */
function dataOf(bytes: number): Buffer[] {
  const data: Buffer[] = [];
  for (let left = bytes; left > 0; left -= data.at(-1)?.length ?? 0) {
    const packet = Buffer.alloc(Math.min(left, 30_000) - inet.length, 0x45);
    data.push(Buffer.concat([inet, packet]));
  }
  return data;
}

async function openTun(
  master: FakeMaster,
  { mode = 'point-to-point', window = 1 << 20 }: { mode?: 'point-to-point' | 'ethernet'; window?: number } = {},
) {
  const proxy = await openMuxProxy(master.socketPath);
  proxy.socket.on('error', () => undefined);
  const session = new ProxySession(proxy);
  const opening = session.openTun({ mode, unit: mode === 'ethernet' ? 3 : undefined });
  const open = await master.next();
  master.sendPacket(message.channelOpenConfirmation, 0, REMOTE_ID, window, 32_768);
  return { proxy, session, open, tun: await opening };
}

async function nextData(master: FakeMaster): Promise<Buffer> {
  const frame = await master.next();
  const fields = new WireReader(frame, 2);
  if (frame.readUInt8(1) !== message.channelData || fields.uint32() !== REMOTE_ID)
    throw new Error(`no data: ${frame.toString('hex')}`);
  return fields.bytes();
}

function nextBatch(tun: TunChannel): Promise<readonly Buffer[]> {
  return new Promise((resolve) => tun.onPackets(resolve));
}

for (const [mode, word, unit] of [
  ['point-to-point', 1, 0x7fffffff],
  ['ethernet', 2, 3],
] as const) {
  t.test(`the open request of a ${mode} device is what PROTOCOL §2.3 says`, async (t) => {
    await using master = await fakeMaster({ handshake: true });
    const { open, proxy } = await openTun(master, { mode });
    t.strictSame(open.subarray(2), encode('tun@openssh.com', 0, WINDOW, MAX_PACKET, word, unit));
    proxy.socket.destroy();
  });
}

t.test('a packet goes as one message, behind the word for its family', async (t) => {
  await using master = await fakeMaster({ handshake: true });
  const { tun, proxy } = await openTun(master);
  t.equal(tun.send([ipv4, Buffer.from([0x20, 1]), ipv6, Buffer.alloc(0)]), 2);
  t.strictSame(await nextData(master), Buffer.concat([inet, ipv4]));
  t.strictSame(await nextData(master), Buffer.concat([inet6, ipv6]));
  t.match(tun.counters, { sent: 2, droppedOut: 2 });
  proxy.socket.destroy();
});

t.test('an Ethernet frame goes as it is', async (t) => {
  await using master = await fakeMaster({ handshake: true });
  const { tun, proxy } = await openTun(master, { mode: 'ethernet' });
  const frame = Buffer.alloc(60, 7);
  t.equal(tun.send([frame, Buffer.alloc(13)]), 1, 'a frame has a header of 14 bytes');
  t.strictSame(await nextData(master), frame);
  master.sendPacket(message.channelData, 0, frame);
  t.strictSame(await nextBatch(tun), [frame]);
  proxy.socket.destroy();
});

t.test('the buffers of a packet are the caller’s again when send returns', async (t) => {
  await using master = await fakeMaster({ handshake: true });
  const { tun, proxy } = await openTun(master);
  const packet = Buffer.from(ipv4);
  proxy.socket.cork();
  tun.send([packet]);
  packet.fill(0);
  proxy.socket.uncork();
  t.strictSame(await nextData(master), Buffer.concat([inet, ipv4]));
  proxy.socket.destroy();
});

t.test('a packet costs its length and four bytes of window; what finds no room is dropped, in order', async (t) => {
  const cost = 4 + ipv4.length + 4;
  await using master = await fakeMaster({ handshake: true });
  const { tun, proxy } = await openTun(master, { window: 3 * cost - 1 });
  t.equal(tun.send([ipv4, ipv4, ipv4, ipv4]), 2);
  t.equal(tun.send([ipv4]), 0);
  t.match(tun.counters, { sent: 2, droppedOut: 3 });
  let ready = false;
  const waiting = tun.ready().then(() => (ready = true));
  await nextData(master);
  t.equal(ready, false);
  master.sendPacket(message.channelWindowAdjust, 0, 2 * cost);
  await waiting;
  t.equal(tun.send([ipv4]), 1);
  proxy.socket.destroy();
});

t.test('packets do not queue for a wire that stands still', async (t) => {
  await using master = await fakeMaster({ handshake: true });
  const { tun, proxy } = await openTun(master, { window: 1 << 28 });
  const packet = Buffer.alloc(longestPacket, 0x45);
  master.stopReading();
  while (tun.send([packet, packet]) === 2);
  t.ok(proxy.socket.writableLength < 512 * 1024, 'a short queue');
  const waiting = tun.ready();
  master.readOn();
  await t.resolves(waiting);
  t.equal(tun.send([packet]), 1);
  proxy.socket.destroy();
});

t.test('a packet that is too long is dropped, the longest is not', async (t) => {
  await using master = await fakeMaster({ handshake: true });
  const { tun, proxy } = await openTun(master);
  t.equal(tun.send([Buffer.alloc(longestPacket + 1, 0x45), Buffer.alloc(longestPacket, 0x45)]), 1);
  t.equal((await nextData(master)).length, longestPacket + 4);
  proxy.socket.destroy();
});

t.test('what comes is handed over bare, a batch for a read, and granted again to the byte', async (t) => {
  await using master = await fakeMaster({ handshake: true });
  const { tun, proxy } = await openTun(master);
  const batch = nextBatch(tun);
  const malformed = [
    Buffer.alloc(0),
    Buffer.from([0, 0]),
    inet,
    Buffer.concat([inet6, ipv4]),
    Buffer.concat([Buffer.from([0, 0, 0, 10]), ipv6]),
  ];
  const data = [Buffer.concat([inet, ipv4]), ...malformed, Buffer.concat([inet6, ipv6])];
  const bytes = data.reduce((sum, { length }) => sum + length, 0);
  master.together(() => {
    for (const one of data) master.sendPacket(message.channelData, 0, one);
  });
  t.strictSame(await batch, [ipv4, ipv6]);
  t.match(tun.counters, { received: 2, droppedIn: malformed.length });
  for (const one of dataOf(STEP - bytes)) master.sendPacket(message.channelData, 0, one);
  t.strictSame(
    (await master.next()).subarray(1),
    Buffer.concat([Buffer.from([message.channelWindowAdjust]), encode(REMOTE_ID, STEP)]),
    'once there is something to grant: each grant is work for the master and for sshd',
  );
  proxy.socket.destroy();
});

t.test('a paused channel keeps its window of packets and grants nothing', async (t) => {
  await using master = await fakeMaster({ handshake: true });
  const { tun, proxy } = await openTun(master);
  const data = dataOf(STEP);
  const packets = data.map((one) => one.subarray(inet.length));
  const comes = async (): Promise<void> => {
    for (const one of data) master.sendPacket(message.channelData, 0, one);
    master.sendPacket(message.channelRequest, 0, 'no-such-request', true);
    t.equal((await master.next()).readUInt8(1), message.channelFailure, 'no grant came before it');
  };
  await comes();
  t.strictSame(await nextBatch(tun), packets, 'there is a handler now');
  t.equal((await master.next()).readUInt8(1), message.channelWindowAdjust);
  tun.pause();
  await comes();
  const batch = nextBatch(tun);
  tun.resume();
  t.strictSame(await batch, packets);
  t.equal((await master.next()).readUInt8(1), message.channelWindowAdjust);
  proxy.socket.destroy();
});

t.test('a far end that sends beyond its window breaks the connection', async (t) => {
  await using master = await fakeMaster({ handshake: true });
  const { proxy } = await openTun(master);
  const closed = new Promise<void>((resolve) => proxy.socket.once('close', () => resolve()));
  for (let sent = 0; sent <= WINDOW; sent += 32_768) master.sendPacket(message.channelData, 0, Buffer.alloc(32_768));
  await t.resolves(closed);
});

for (const [who, end] of [
  ['us', (_master: FakeMaster, tun: TunChannel) => void tun.close()],
  ['the far end', (master: FakeMaster) => master.sendPacket(message.channelClose, 0)],
  ['a device that went away', (master: FakeMaster) => master.sendPacket(message.channelEof, 0)],
] as const) {
  t.test(`closed by ${who}: told to the other side, ready and done`, async (t) => {
    await using master = await fakeMaster({ handshake: true });
    const { tun, session, proxy } = await openTun(master, { window: 0 });
    end(master, tun);
    await t.resolves(tun.closed);
    await t.resolves(tun.ready());
    t.equal(tun.send([ipv4]), 0);
    t.equal((await master.next()).readUInt8(1), message.channelClose);
    await t.resolves(session.idle());
    proxy.socket.destroy();
  });
}

t.test('modes and numbers that do not exist are refused before anything is sent', async (t) => {
  await using master = await fakeMaster({ handshake: true });
  const { session, proxy } = await openTun(master);
  for (const unit of [-1, 1.5, 0x7fffffff]) {
    await t.rejects(session.openTun({ mode: 'ethernet', unit }), { code: 'OPTION_INVALID' });
  }
  await t.rejects(session.openTun({ mode: 'bridge' as 'ethernet' }), { code: 'OPTION_INVALID' });
  proxy.socket.destroy();
});
