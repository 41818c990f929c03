import { once } from 'node:events';
import t from 'tap';
import {
  type Channel,
  type Connection,
  type ConnectOptions,
  insecureAcceptAnyHostKey,
  silentLogger,
} from '@viassh/core';
import { createMemoryTransport, memoryRoute, type MemoryTransport } from '@viassh/testing';

const options: ConnectOptions = { verifyHostKey: insecureAcceptAnyHostKey(silentLogger), log: silentLogger };

async function connected(): Promise<{ transport: MemoryTransport; connection: Connection }> {
  const transport = createMemoryTransport();
  return { transport, connection: await transport.connect(memoryRoute(), options) };
}

t.test('a channel that the server opens comes to its handler, with the originator', async (t) => {
  const { transport, connection } = await connected();
  const { promise: came, resolve } = Promise.withResolvers<Channel>();
  connection.onIncomingChannel('x11', (incoming) => {
    t.strictSame(incoming.originator, { address: '192.0.2.1', port: 4711 });
    resolve(incoming.accept());
  });
  const far = transport.server.openChannel('x11', { address: '192.0.2.1', port: 4711 });
  const channel = await came;
  t.equal(channel.type, 'x11');
  far.end('from afar');
  t.equal(String((await once(channel, 'data'))[0]), 'from afar');
  channel.end('and back');
  t.equal(String((await once(far, 'data'))[0]), 'and back');
  await connection.close();
});

t.test('nobody takes it: its far end is destroyed', async (t) => {
  const { transport, connection } = await connected();
  const far = transport.server.openChannel('auth-agent@openssh.com');
  await once(far, 'close');
  t.ok(far.destroyed);
  await connection.close();
});

t.test('nobody is connected: openChannel says so', async (t) => {
  const { transport, connection } = await connected();
  await connection.close();
  t.throws(() => transport.server.openChannel('x11'), /nobody is connected/);
});

t.test('a jump host of its own dies: the connection is lost', async (t) => {
  const jump = createMemoryTransport();
  const transport = createMemoryTransport({ jumpHosts: [jump.server] });
  const [hop] = memoryRoute().hops;
  await using connection = await transport.connect({ hops: [hop, hop] }, options);
  t.equal(connection.info.hops.length, 2);
  t.not(connection.info.hops[0]?.hostKey, connection.info.hostKey);
  jump.server.cut();
  t.match(await connection.closed, { kind: 'lost' });
  t.equal(connection.info.hops[0]?.state, 'ended');
});
