import t from 'tap';
import { mux } from '../../src/mux/messages.ts';
import { openMuxProxy } from '../../src/mux/open-mux-proxy.ts';
import { PacketLink } from '../../src/mux/packet-link.ts';
import { fakeMaster } from './fake-master.ts';

t.test('hello and proxy mode are spoken as PROTOCOL.mux says', async (t) => {
  await using master = await fakeMaster({ handshake: false });
  const opening = openMuxProxy(master.socketPath);
  await t.resolves(waitForClient(master.socketPath));
  setImmediate(() => master.send(mux.hello, mux.version, 'info', '0'));
  t.strictSame([...(await master.next())], [0, 0, 0, 1, 0, 0, 0, 4]);
  t.equal((await master.next()).readUInt32BE(0), mux.clientProxy);
  master.send(mux.serverProxy, 0);
  const { socket } = await opening;
  t.equal(socket.destroyed, false);
  socket.destroy();
});

for (const [what, fields] of [
  ['another version', [mux.hello, 3]],
  ['a refusal', [mux.serverPermissionDenied, 0, 'no']],
  ['a proxy answer before hello', [mux.serverProxy, 0]],
] as const) {
  t.test(`${what} is an error, not a hang`, async (t) => {
    await using master = await fakeMaster({ handshake: false });
    const opening = openMuxProxy(master.socketPath);
    opening.catch(() => undefined);
    await waitForClient(master.socketPath);
    setImmediate(() => master.send(...fields));
    await t.rejects(opening, { code: 'CONNECTION_LOST' });
  });
}

t.test('a master that hangs up, or is not there, is an error', async (t) => {
  await using master = await fakeMaster({ handshake: false });
  const opening = openMuxProxy(master.socketPath);
  opening.catch(() => undefined);
  await waitForClient(master.socketPath);
  setImmediate(() => master.hangUp());
  await t.rejects(opening, { code: 'CONNECTION_LOST' });
  await t.rejects(openMuxProxy(`${master.socketPath}.none`), { code: 'CONNECTION_LOST' });
});

t.test('nothing but channel messages goes out: the master would forward it to the server', async (t) => {
  await using master = await fakeMaster({ handshake: true });
  const proxy = await openMuxProxy(master.socketPath);
  const link = new PacketLink(proxy, () => undefined);
  const DISCONNECT = 1;
  const KEXINIT = 20;
  const GLOBAL_REQUEST = 80;
  for (const type of [DISCONNECT, KEXINIT, GLOBAL_REQUEST, 101, 255]) t.throws(() => link.send(type), RangeError);
  link.send(96, 5);
  t.strictSame([...(await master.next())], [0, 96, 0, 0, 0, 5], 'padding length 0, type, payload');
  proxy.socket.destroy();
});

async function waitForClient(_path: string): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
}
