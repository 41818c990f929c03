import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { abortedError, toViasshError, type ViasshError, whyRefused } from '@viassh/core';
import { freePort } from '@viassh/testing';
import t from 'tap';
import { leaseConnection } from '../../src/index.ts';
import { FrameKind } from '../../src/lease/wire/frame.ts';
import { frame, leaseBench } from './lease-bench.ts';
import { socketPair } from './lending.ts';

t.test('a failure is the same as without a lease: code, words, hint, and why', async (t) => {
  const bench = await leaseBench(t);
  const { connection, transport } = bench;
  const { leased } = await bench.lease();
  const port = await freePort();
  const [own, lent] = await Promise.all(
    [connection, leased].map((one) => failureOf(one.openDirectTcpip({ host: '127.0.0.1', port }))),
  );
  t.strictSame(said(lent), said(own));
  t.equal(whyRefused(lent as ViasshError), whyRefused(own as ViasshError));
  t.ok(own?.hint ?? own?.message);
  transport.server.cut();
  t.strictSame(said(await failureOf(leased.openSession({ kind: 'shell' }))).code, 'CONNECTION_LOST');
});

t.test('closed right after the last bytes and EOF: they reach the far end all the same', async (t) => {
  const { promise: heard, resolve } = Promise.withResolvers<number>();
  await using far = await listen((socket) => {
    socket.end(); // its own way is over before
    let bytes = 0;
    setImmediate(() => socket.on('data', (chunk: Buffer) => (bytes += chunk.length)).once('end', () => resolve(bytes)));
  });
  const bench = await leaseBench(t);
  const { leased, lease } = await bench.lease();
  const channel = await leased.openDirectTcpip({ host: '127.0.0.1', port: far.port });
  channel.resume();
  await once(channel, 'end');
  await new Promise<void>((done) => channel.end(Buffer.alloc(3_000_000), done));
  await leased.close();
  await lease.closed;
  t.equal(await heard, 3_000_000);
});

t.test('the broker goes: CONNECTION_LOST with what to do, for channels, forwards and what was under way', async (t) => {
  const { leased, server } = await (await leaseBench(t)).lease();
  const channel = await leased.openSession({ kind: 'exec', command: 'cat' });
  const listener = await leased.requestForward({ kind: 'tcpip', port: 0 }, () => undefined);
  const exit = failureOf(channel.exit);
  server.destroy();
  t.match(said(await exit), { code: 'CONNECTION_LOST', hint: /--no-broker/ });
  await listener.closed;
  t.match(await leased.closed, { kind: 'lost', error: { code: 'CONNECTION_LOST' } });
  t.match(said(await failureOf(leased.ping())), { code: 'CONNECTION_LOST' });
  t.equal(leased.info.state, 'ended');
});

t.test('the broker closes the connection: lost, and the socket keeps no process alive', async (t) => {
  const bench = await leaseBench(t);
  const { leased, lease } = await bench.lease();
  const channel = await leased.openSession({ kind: 'exec', command: 'cat' });
  channel.resume();
  await bench.connection.close();
  t.match(await leased.closed, { kind: 'lost', error: { code: 'CONNECTION_LOST', message: /broker closed/ } });
  await lease.closed;
});

t.test('given back, the connection stays for the next', async (t) => {
  const bench = await leaseBench(t);
  for (const code of [1, 2, 3]) {
    const { leased, lease } = await bench.lease();
    t.strictSame(await (await leased.openSession({ kind: 'exec', command: `exit ${code}` })).resume().exit, {
      kind: 'status',
      code,
    });
    await leased.close();
    await lease.closed;
  }
  t.equal(bench.connection.info.state, 'up');
});

t.test('X11 has one lease at a time, until its last session ends', async (t) => {
  const bench = await leaseBench(t);
  const [one, other] = [(await bench.lease()).leased, (await bench.lease()).leased];
  const x11 = { protocol: 'MIT-MAGIC-COOKIE-1', cookie: '00112233445566778899aabbccddeeff', screen: 0 };
  const sessions = await Promise.all([1, 2].map(() => one.openSession({ kind: 'exec', command: 'cat', x11 })));
  t.match(said(await failureOf(other.openSession({ kind: 'exec', command: 'cat', x11 }))), { code: 'OPTION_INVALID' });
  for (const session of sessions) {
    session.resume().end();
    session.stderr.resume();
    await once(session, 'close');
  }
  const next = await other.openSession({ kind: 'exec', command: 'cat', x11 });
  next.destroy();
});

t.test('stderr that is not read holds up neither stdout nor the exit', async (t) => {
  const { leased } = await (await leaseBench(t)).lease();
  const stdout = new PassThrough();
  const command = 'head -c 1000000 /dev/zero >&2; head -c 300000 /dev/zero; exit 4';
  const channel = await leased.openSession({ kind: 'exec', command });
  channel.pipe(stdout).resume();
  t.strictSame(await channel.exit, { kind: 'status', code: 4 });
  let bytes = 0;
  for await (const chunk of channel.stderr) bytes += (chunk as Buffer).length;
  t.equal(bytes, 1_000_000);
});

t.test('who answers is no broker, another version, nobody; an abort', async (t) => {
  const answers: readonly (readonly [string, (server: Socket) => unknown])[] = [
    ['PROTOCOL_ERROR', (server) => server.write('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['PROTOCOL_ERROR', (server) => server.write(frame(FrameKind.hello, 0, { version: 999 }))],
    ['CONNECTION_LOST', (server) => server.end()],
    ['CONNECTION_LOST', (server) => server.destroy()],
  ];
  for (const [code, answer] of answers) {
    const [client, server] = await socketPair();
    answer(server.on('error', () => undefined).resume());
    t.equal(said(await failureOf(leaseConnection(client))).code, code);
    server.destroy();
  }
  const [client, server] = await socketPair();
  const controller = new AbortController();
  const leasing = failureOf(leaseConnection(client, { signal: controller.signal }));
  controller.abort();
  t.equal(said(await leasing).code, abortedError().code);
  server.destroy();
});

t.test('a broker that breaks the rules is left', async (t) => {
  const info = { peer: 'x', state: 'up', hops: [] };
  const hello = frame(FrameKind.hello, 0, { version: 1, transport: 'memory', capabilities: ['exec'], info });
  for (const bad of [
    frame(FrameKind.data, 1, Buffer.alloc(1)),
    frame(FrameKind.opened, 1, Buffer.from('no JSON')),
    frame(FrameKind.opened, 1, {}),
    Buffer.concat([
      frame(FrameKind.opened, 1, { window: 1 }),
      ...Array.from({ length: 9 }, () => frame(FrameKind.data, 1, Buffer.alloc(65_536))),
    ]),
  ]) {
    const [client, server] = await socketPair();
    server.on('error', () => undefined);
    server.write(hello);
    const leased = await leaseConnection(client);
    const opening = leased.openSession({ kind: 'exec', command: 'true' });
    opening.catch(() => undefined);
    await once(server, 'data');
    server.write(bad);
    t.match(await leased.closed, { kind: 'lost', error: { code: 'CONNECTION_LOST' } });
    server.destroy();
    await leased.close();
  }
});

type Failure = { readonly code: string; readonly message: string; readonly hint: string | undefined };

function said(error: ViasshError | undefined): Failure {
  return { code: error?.code ?? 'none', message: error?.message ?? '', hint: error?.hint };
}

async function failureOf(promise: Promise<unknown>): Promise<ViasshError | undefined> {
  return await promise.then(
    () => undefined,
    (error: unknown) => toViasshError(error),
  );
}

async function listen(serve: (socket: Socket) => void): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer({ allowHalfOpen: true }, (socket) => serve(socket.on('error', () => undefined)));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => void server.close(),
  };
}
