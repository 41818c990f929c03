import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import t from 'tap';
import { type Connection, type ExitStatus, insecureAcceptAnyHostKey, silentLogger } from '@viassh/core';
import {
  createMemoryTransport,
  type MemoryServerOptions,
  memoryRoute,
  type MemoryTransport,
  waitUntil,
} from '@viassh/testing';

async function connect(
  options: MemoryServerOptions = {},
): Promise<{ connection: Connection; transport: MemoryTransport }> {
  const transport = createMemoryTransport(options);
  const connection = await transport.connect(memoryRoute(), {
    verifyHostKey: insecureAcceptAnyHostKey(silentLogger),
    log: silentLogger,
  });
  return { connection, transport };
}

/** A far end in this process, that a test can look into. */
function madeUp(): {
  input: PassThrough;
  output: PassThrough;
  exit: Promise<ExitStatus>;
  leave(exit: ExitStatus): void;
} {
  const { promise: exit, resolve } = Promise.withResolvers<ExitStatus>();
  return { input: new PassThrough(), output: new PassThrough(), exit, leave: resolve };
}

t.test('not one byte more than the window is taken from the far end while nobody reads', async (t) => {
  const windowSize = 1000;
  const { connection } = await connect({
    windowSize,
    session: () => ({ ...far, done: far.exit, signal() {}, changeWindow() {}, close() {} }),
  });
  const far = madeUp();
  const channel = await connection.openSession({ kind: 'exec', command: 'x' });
  for (let index = 0; index < 100; index += 1) far.output.write(Buffer.alloc(100));
  // Node's own read buffers on both sides take their share; the window is what lies between them.
  const most = windowSize + channel.readableHighWaterMark + far.output.readableHighWaterMark;
  channel.once('readable', () => undefined);
  await once(channel, 'readable');
  t.ok(channel.readableLength <= most, `${channel.readableLength} bytes`);
  far.output.end();
  far.leave({ kind: 'status', code: 0 });
  let bytes = 0;
  for await (const chunk of channel as AsyncIterable<Buffer>) bytes += chunk.length;
  t.equal(bytes, 10_000);
  await connection.close();
});

t.test('a write waits until the far end has taken a window', async (t) => {
  const far = madeUp();
  const { connection } = await connect({
    windowSize: 1000,
    session: () => ({ ...far, done: far.exit, signal() {}, changeWindow() {}, close() {} }),
  });
  far.input.pause();
  const channel = await connection.openSession({ kind: 'exec', command: 'x' });
  const written: number[] = [];
  const size = 200_000;
  channel.write(Buffer.alloc(size), () => written.push(size));
  await waitUntil('the far end to be full', () => far.input.readableLength > 0);
  t.strictSame(written, [], 'not taken yet');
  t.ok(far.input.readableLength <= far.input.readableHighWaterMark + 1000, `${far.input.readableLength} bytes`);
  far.input.resume();
  await waitUntil('the write to be through', () => written.length === 1);
  await connection.close();
});

t.test('requests are recorded, and a made-up far end can refuse', async (t) => {
  const { connection, transport } = await connect({ session: () => undefined });
  const request = { kind: 'exec', command: 'imapd', pty: { term: 'vt100', columns: 80, rows: 24 } } as const;
  await t.rejects(connection.openSession(request), { code: 'REQUEST_REFUSED' });
  t.strictSame(transport.server.requests, [request]);
  await connection.close();
});

t.test('channel types can be refused', async (t) => {
  const { connection } = await connect({ refuse: ['session', 'direct-tcpip', 'direct-streamlocal@openssh.com'] });
  await t.rejects(connection.openSession({ kind: 'shell' }), { code: 'CHANNEL_REFUSED' });
  await t.rejects(connection.openDirectTcpip({ host: '127.0.0.1', port: 1 }), { code: 'CHANNEL_REFUSED' });
  await t.rejects(connection.openDirectStreamlocal('/x'), { code: 'CHANNEL_REFUSED' });
  await connection.close();
});

t.test('what the route adds to the environment of each session is sent', async (t) => {
  const transport = createMemoryTransport();
  const route = memoryRoute({ sessionEnv: { VIASSH_ROUTE: 'yes' } });
  await using connection = await transport.connect(route, {
    verifyHostKey: insecureAcceptAnyHostKey(silentLogger),
    log: silentLogger,
  });
  const stdout = new PassThrough();
  await (await connection.pipe('echo $VIASSH_ROUTE', { stdout })).exit;
  t.equal(String(stdout.read()), 'yes\n');
});
