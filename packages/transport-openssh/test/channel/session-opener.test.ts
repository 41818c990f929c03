import t from 'tap';
import { ProxySession } from '../../src/channel/proxy-session.ts';
import { SessionOpener } from '../../src/channel/session-opener.ts';
import { message } from '../../src/mux/messages.ts';
import { openMuxProxy } from '../../src/mux/open-mux-proxy.ts';
import { WireReader } from '../../src/mux/wire.ts';
import { type FakeMaster, fakeMaster } from '../mux/fake-master.ts';

async function makeOpener(master: FakeMaster, { spare = true, forwardsAgent = false } = {}) {
  const proxy = await openMuxProxy(master.socketPath);
  proxy.socket.on('error', () => undefined);
  const session = new ProxySession(proxy);
  const opener = new SessionOpener(session, { env: {}, forwardsAgent, spare });
  return { proxy, session, opener };
}

/** The next message: its type, and its first field, for an open the kind, for a request the name. */
async function nextMessage(
  master: FakeMaster,
): Promise<{ type: number; channel: number; name: string; wantsReply: boolean }> {
  const frame = await master.next();
  const type = frame.readUInt8(1);
  const fields = new WireReader(frame, 2);
  if (type === message.channelOpen) return { type, name: fields.text(), channel: fields.uint32(), wantsReply: true };
  const channel = fields.uint32();
  if (type !== message.channelRequest) return { type, channel, name: '', wantsReply: false };
  return { type, channel, name: fields.text(), wantsReply: fields.boolean() };
}

/** Confirms the open that comes next; the far end's number is ours and 100. */
async function confirm(master: FakeMaster): Promise<number> {
  const open = await nextMessage(master);
  t.match(open, { type: message.channelOpen, name: 'session' });
  master.sendPacket(message.channelOpenConfirmation, open.channel, open.channel + 100, 1 << 20, 32_768);
  return open.channel;
}

async function openFirst(master: FakeMaster, opener: SessionOpener) {
  const opening = opener.open({ kind: 'exec', command: 'true' });
  const id = await confirm(master);
  t.match(await nextMessage(master), { name: 'exec', channel: id + 100 });
  master.sendPacket(message.channelSuccess, id);
  return { id, channel: await opening };
}

t.test('the second session is asked for on the spare, in one round trip', async (t) => {
  await using master = await fakeMaster({ handshake: true });
  const { opener, proxy, session } = await makeOpener(master);
  await openFirst(master, opener);
  const spare = await confirm(master);
  const second = opener.open({ kind: 'exec', command: 'true', env: { A: 'b' } });
  t.match(await nextMessage(master), { name: 'env', channel: spare + 100 });
  t.match(await nextMessage(master), { name: 'exec', channel: spare + 100 });
  master.sendPacket(message.channelSuccess, spare);
  await t.resolves(second);
  t.equal((await nextMessage(master)).type, message.channelOpen, 'the next one');
  t.equal(session.isUnused, false);
  proxy.socket.destroy();
});

t.test('without a spare none is opened ahead', async (t) => {
  await using master = await fakeMaster({ handshake: true });
  const { opener, proxy } = await makeOpener(master, { spare: false });
  const { channel, id } = await openFirst(master, opener);
  channel.sendSignal('TERM');
  t.match(await nextMessage(master), { name: 'signal', channel: id + 100 });
  proxy.socket.destroy();
});

t.test('nobody waits for a spare to end', async (t) => {
  await using master = await fakeMaster({ handshake: true });
  const { opener, proxy, session } = await makeOpener(master);
  const { channel, id } = await openFirst(master, opener);
  await confirm(master);
  channel.resume();
  master.sendPacket(message.channelClose, id);
  await t.resolves(session.idle());
  t.equal(session.isUnused, true);
  proxy.socket.destroy();
});

t.test(
  'a spare that the server closed before it read the request is replaced, one that it refused is not',
  async (t) => {
    await using master = await fakeMaster({ handshake: true });
    const { opener, proxy } = await makeOpener(master);
    await openFirst(master, opener);
    const spare = await confirm(master);
    const second = opener.open({ kind: 'exec', command: 'true' });
    t.match(await nextMessage(master), { name: 'exec', channel: spare + 100 });
    master.sendPacket(message.channelClose, spare);
    t.equal((await nextMessage(master)).type, message.channelClose);
    const replacement = await confirm(master);
    t.match(await nextMessage(master), { name: 'exec', channel: replacement + 100 });
    master.sendPacket(message.channelSuccess, replacement);
    t.equal((await second).id, replacement);

    const nextSpare = await confirm(master);
    const third = opener.open({ kind: 'exec', command: 'true' });
    await nextMessage(master);
    master.sendPacket(message.channelFailure, nextSpare);
    master.sendPacket(message.channelClose, nextSpare);
    await t.rejects(third, { code: 'REQUEST_REFUSED' });
    proxy.socket.destroy();
  },
);

t.test('the agent is announced on each session before its request, and no answer is asked for', async (t) => {
  await using master = await fakeMaster({ handshake: true });
  const { opener, proxy } = await makeOpener(master, { forwardsAgent: true, spare: false });
  const opening = opener.open({ kind: 'shell' });
  opening.catch(() => undefined);
  const id = await confirm(master);
  t.match(await nextMessage(master), { name: 'auth-agent-req@openssh.com', channel: id + 100, wantsReply: false });
  t.match(await nextMessage(master), { name: 'shell', wantsReply: true });
  proxy.socket.destroy();
});

t.test('a ping is answered in its place among other answers', async (t) => {
  await using master = await fakeMaster({ handshake: true });
  const { opener, proxy } = await makeOpener(master, { spare: false });
  t.equal(await opener.ping(undefined), undefined, 'nothing to measure on');
  const { id } = await openFirst(master, opener);
  const pings = [opener.ping(undefined), opener.ping(undefined)];
  t.match(await nextMessage(master), { name: 'keepalive@openssh.com', wantsReply: true });
  await nextMessage(master);
  let second = false;
  void pings[1]?.then(() => (second = true));
  master.sendPacket(message.channelFailure, id);
  t.ok(Number(await pings[0]) > 0);
  t.equal(second, false);
  master.sendPacket(message.channelSuccess, id);
  t.ok(Number(await pings[1]) > 0);
  proxy.socket.destroy();
});

t.test('a channel that closes before it answers a ping is no answer', async (t) => {
  await using master = await fakeMaster({ handshake: true });
  const { opener, proxy } = await makeOpener(master, { spare: false });
  const { id } = await openFirst(master, opener);
  const ping = opener.ping(undefined);
  await nextMessage(master);
  master.sendPacket(message.channelClose, id);
  t.equal(await ping, undefined);
  proxy.socket.destroy();
});

t.test('a ping opens a spare where there is none, and can be aborted', async (t) => {
  await using master = await fakeMaster({ handshake: true });
  const { opener, proxy } = await makeOpener(master);
  const controller = new AbortController();
  const ping = opener.ping(controller.signal);
  const id = await confirm(master);
  t.match(await nextMessage(master), { name: 'keepalive@openssh.com', channel: id + 100 });
  controller.abort();
  await t.rejects(ping, { code: 'ABORTED' });
  const another = opener.ping(undefined);
  await nextMessage(master);
  master.sendPacket(message.channelFailure, id);
  master.sendPacket(message.channelFailure, id);
  t.ok(Number(await another) > 0);
  proxy.socket.destroy();
});

t.test('an abort of an open ends it at once', async (t) => {
  await using master = await fakeMaster({ handshake: true });
  const { opener, proxy } = await makeOpener(master);
  const controller = new AbortController();
  const opening = opener.open({ kind: 'shell', signal: controller.signal });
  await confirm(master);
  await nextMessage(master);
  controller.abort();
  await t.rejects(opening, { code: 'ABORTED' });
  t.equal((await nextMessage(master)).type, message.channelClose);
  proxy.socket.destroy();
});
