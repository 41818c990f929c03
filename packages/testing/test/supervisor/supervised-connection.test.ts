import { once } from 'node:events';
import { type AddressInfo, connect as dial, createServer, type Server } from 'node:net';
import { text } from 'node:stream/consumers';
import {
  type Connection,
  type IncomingChannel,
  type RemoteListener,
  silentLogger,
  type SupervisedConnection,
  supervisedConnection,
  type SupervisedConnectionOptions,
  type SuperviseOptions,
  ViasshError,
} from '@viassh/core';
import { waitUntil } from '@viassh/testing';
import t, { type Test } from 'tap';
import { type Supervised, supervised } from './supervised.ts';

const refused = new ViasshError('CONNECTION_REFUSED', 'nobody there');
const lost = new ViasshError('CONNECTION_LOST', 'it went away');

interface Bench extends Supervised {
  readonly inside: Supervised;
  readonly connection: SupervisedConnection;
  /** The connection that is up, without what is around it. */
  readonly inner: () => Connection;
}

async function bench(
  t: Test,
  options: Partial<SuperviseOptions & SupervisedConnectionOptions> = {},
  ahead: Parameters<typeof supervised>[2] = [],
): Promise<Bench> {
  const inside = supervised(t, options, ahead);
  const { supervisor, clock, connections } = inside;
  const connection = supervisedConnection(supervisor, { log: silentLogger, clock, ...options });
  t.teardown(() => connection.close());
  if (options.lazy !== true && ahead.length === 0) await inside.reached('up');
  return Object.assign(Object.create(inside) as Supervised, {
    inside,
    connection,
    inner: () => connections.at(-1) as Connection,
  });
}

/** On this machine, which is the memory server's network too. */
async function listening(t: Test, port = 0): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer((socket) => socket.pipe(socket).on('error', () => undefined));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => void server.close());
  return { server, port: (server.address() as AddressInfo).port };
}

async function said(connection: Connection, command: string): Promise<string> {
  const session = await connection.openSession({ kind: 'exec', command });
  session.stderr.resume();
  return await text(session);
}

function shout(incoming: IncomingChannel): void {
  const channel = incoming.accept();
  channel.on('data', (chunk: Buffer) => channel.write(chunk.toString().toUpperCase())).once('end', () => channel.end());
}

async function answerAt({ address }: Pick<RemoteListener, 'address'>, word: string): Promise<string> {
  const socket = dial({ host: '127.0.0.1', port: address.kind === 'tcpip' ? address.port : 0 });
  socket.end(word);
  return await text(socket);
}

t.test('who comes while it is down waits, and gets the next connection', async (t) => {
  const { connection, cut, clock, reached } = await bench(t);
  t.equal(await said(connection, 'echo one'), 'one\n');
  await cut();
  t.equal(connection.info.state, 'ended');
  const answer = said(connection, 'echo two');
  await clock.advance(500);
  await reached('up');
  t.equal(await answer, 'two\n');
});

t.test('waiting has its limit, and the error says why it is down; 0 is no waiting', async (t) => {
  const { connection, cut, clock, ahead } = await bench(t, { waitMs: 400 });
  ahead.push(refused, refused);
  await cut();
  const late = t.rejects(connection.openDirectTcpip({ host: 'localhost', port: 1 }), { code: 'CONNECTION_LOST' });
  await clock.advance(400);
  await late;
  const none = await bench(t, { waitMs: 0 });
  none.ahead.push(refused);
  await none.cut();
  await none.clock.advance(500);
  await none.reached('waiting 2 500 CONNECTION_REFUSED');
  await t.rejects(none.connection.openSession({ kind: 'exec', command: 'true' }), { code: 'CONNECTION_REFUSED' });
});

t.test('idle is not down: who wakes it waits for that attempt, also where nobody waits', async (t) => {
  const { connection, ahead, clock, reached, supervisor, cut } = await bench(t, {
    lazy: true,
    waitMs: 0,
    keepTrying: true,
  });
  const both = Promise.all(['one', 'two'].map((word) => said(connection, `echo ${word}`)));
  await reached('up');
  t.strictSame(await both, ['one\n', 'two\n']);
  await waitUntil('nothing is open any more', () => connection.traffic.open === 0);
  await cut();
  await reached('idle');
  using _used = supervisor.hold();
  ahead.push(refused);
  await t.rejects(said(connection, 'true'), { code: 'CONNECTION_REFUSED' });
  t.equal(supervisor.state.kind, 'waiting');
  await t.rejects(said(connection, 'true'), { code: 'CONNECTION_REFUSED' });
  await clock.advance(60_000);
  await reached('up');
});

t.test('lost while it is opened: a direct channel is tried once more, a session is not', async (t) => {
  const { connection, inner, cut, clock, reached } = await bench(t);
  const { port } = await listening(t);
  const first = inner();
  const fails = async (): Promise<never> => {
    await first.closed;
    throw lost;
  };
  Object.assign(first, { openDirectTcpip: fails, openSession: fails });
  const direct = connection.openDirectTcpip({ host: '127.0.0.1', port });
  const session = t.rejects(connection.openSession({ kind: 'exec', command: 'true' }), { code: 'CONNECTION_LOST' });
  await cut();
  await session;
  await clock.advance(500);
  await reached('up');
  const channel = await direct;
  channel.end('again');
  t.equal(await text(channel), 'again');
});

t.test('a direct channel that is lost twice is given up', async (t) => {
  const { connection, supervisor, cut, clock, reached } = await bench(t);
  supervisor.onUp((one) => {
    const openDirectTcpip = async (): Promise<never> => {
      await one.closed;
      throw lost;
    };
    Object.assign(one, { openDirectTcpip });
  });
  const gone = t.rejects(connection.openDirectTcpip({ host: '127.0.0.1', port: 1 }), { code: 'CONNECTION_LOST' });
  await cut();
  await clock.advance(500);
  await reached('up');
  await cut();
  await gone;
});

t.test('a link that is silent and given up: channels end as lost, not as if all had been said', async (t) => {
  const { connection, supervisor, clock, reached, inner, inside } = await bench(t);
  const { port } = await listening(t);
  const channel = await connection.openDirectTcpip({ host: '127.0.0.1', port });
  const session = await connection.openSession({ kind: 'exec', command: 'cat' });
  const opening = Promise.withResolvers<never>();
  Object.assign(inner(), { openDirectStreamlocal: () => opening.promise });
  void inner().closed.then(() => opening.reject(new ViasshError('CONNECTION_CLOSED', 'closed by this side')));
  const next = t.rejects(connection.openDirectStreamlocal('/nowhere'), { code: 'CHANNEL_REFUSED' });
  const failures = [channel, session].map(async (one) => {
    const [error] = (await once(one, 'error')) as [ViasshError];
    return error.code;
  });
  inside.silent = true;
  supervisor.retryNow('asked');
  await clock.advance(1000);
  t.strictSame(await Promise.all(failures), ['CONNECTION_LOST', 'CONNECTION_LOST']);
  await t.rejects(session.exit, { code: 'CONNECTION_LOST' });
  inside.silent = false;
  await clock.advance(60_000);
  await reached('up');
  await next; // asked again, of the next connection
});

t.test('a remote forward comes back at the port that was chosen', async (t) => {
  const { connection, cut, clock, reached } = await bench(t);
  const listener = await connection.requestForward({ kind: 'tcpip', port: 0 }, shout);
  t.equal(await answerAt(listener, 'one'), 'ONE');
  await cut();
  t.match(connection.forwards, [{ address: listener.address, state: { kind: 'down' } }]);
  await clock.advance(500);
  await reached('up');
  await waitUntil('the forward to stand', () => connection.forwards[0]?.state.kind === 'standing');
  t.equal(await answerAt(listener, 'two'), 'TWO');
  await listener.close();
  await listener.closed;
  t.strictSame(connection.forwards, []);
  await cut();
  await clock.advance(500);
  await t.rejects(answerAt(listener, 'three'), 'one that was closed does not come back');
});

t.test('a place that is taken is asked for again on a schedule, until it is free', async (t) => {
  const { connection, cut, clock, reached, connections } = await bench(t);
  const listener = await connection.requestForward({ kind: 'tcpip', port: 0 }, shout);
  await cut();
  const { server } = await listening(t, listener.address.kind === 'tcpip' ? listener.address.port : 0);
  await clock.advance(500);
  await reached('up');
  const [forward] = connection.forwards;
  for (const [at, ms] of [250, 500, 1000, 2000].entries()) {
    await waitUntil('the refusal', () => forward?.state.kind === 'waiting' && forward.state.attempt === at + 1);
    const { state } = forward as { state: { kind: string; until: number; since: number } };
    t.match(state, { kind: 'waiting', error: { code: 'FORWARD_REFUSED' } });
    t.equal(state.until - state.since, ms);
    if (ms < 2000) await clock.advance(ms);
  }
  await new Promise((resolve) => server.close(resolve));
  await clock.advance(2000);
  await waitUntil('the forward to stand', () => forward?.state.kind === 'standing');
  t.equal(await answerAt(listener, 'mine'), 'MINE');
  t.equal(connections.length, 2, 'on one and the same connection');
});

t.test('a forward that is refused the first time is refused, and nothing is kept of it', async (t) => {
  const { connection } = await bench(t);
  const { port } = await listening(t);
  await t.rejects(connection.requestForward({ kind: 'tcpip', port }, shout), { code: 'FORWARD_REFUSED' });
  t.strictSame(connection.forwards, []);
});

t.test('a handler of incoming channels is there on each connection, until it is given back', async (t) => {
  const { connection, cut, clock, reached, inner } = await bench(t);
  const taken = connection.onIncomingChannel('x11', shout);
  t.throws(() => connection.onIncomingChannel('x11', shout), { code: 'OPTION_INVALID' });
  await cut();
  await clock.advance(500);
  await reached('up');
  t.throws(() => inner().onIncomingChannel('x11', shout), { code: 'OPTION_INVALID' }, 'it has one');
  taken[Symbol.dispose]();
  inner().onIncomingChannel('x11', shout)[Symbol.dispose]();
});

t.test('an open channel and a wanted forward keep it from being idle', async (t) => {
  const { connection, clock, states, reached } = await bench(t, { idleMs: 1000 });
  const session = await connection.openSession({ kind: 'exec', command: 'cat' });
  await clock.advance(5000);
  t.equal(states.at(-1), 'up');
  session.end();
  session.stderr.resume();
  session.resume();
  await session.exit;
  await waitUntil('the channel to close', () => connection.traffic.open === 0);
  const listener = await connection.requestForward({ kind: 'tcpip', port: 0 }, shout);
  await clock.advance(5000);
  t.equal(states.at(-1), 'up');
  await listener.close();
  await clock.advance(1000);
  await reached('idle');
  const answer = said(connection, 'echo woken');
  await reached('up');
  t.equal(await answer, 'woken\n');
});

t.test('channels that nobody reads do not hold a lost connection', async (t) => {
  const { connection, cut, clock, reached } = await bench(t, { idleMs: 1000 });
  const session = await connection.openSession({ kind: 'exec', command: 'echo unread' });
  await session.exit;
  t.equal(connection.traffic.open, 1);
  await cut();
  t.equal(connection.traffic.open, 0);
  await clock.advance(500);
  await clock.advance(1000);
  await reached('idle');
  t.equal(await text(session).catch(() => 'unread\n'), 'unread\n');
  session.destroy();
});

t.test('shared: closing one ends what was opened by it, and nothing else', async (t) => {
  const { connection, supervisor, states } = await bench(t, { shared: true });
  const other = supervisedConnection(supervisor, { log: silentLogger });
  const theirs = await other.openSession({ kind: 'exec', command: 'cat' });
  const mine = await connection.openSession({ kind: 'exec', command: 'cat' });
  const listener = await connection.requestForward({ kind: 'tcpip', port: 0 }, shout);
  connection.onIncomingChannel('x11', shout);
  await connection.close();
  t.strictSame(await connection.closed, { kind: 'closed' });
  await listener.closed;
  await t.rejects(answerAt(listener, 'anybody'), { code: 'ECONNREFUSED' });
  t.ok(mine.destroyed);
  await t.rejects(connection.openSession({ kind: 'exec', command: 'true' }), { code: 'CONNECTION_CLOSED' });
  t.equal(states.at(-1), 'up');
  other.onIncomingChannel('x11', shout)[Symbol.dispose]();
  theirs.end('still there');
  t.equal(await text(theirs), 'still there');
  await other.close();
  t.equal(states.at(-1), 'stopped');
});

t.test('shared: draining lets channels finish', async (t) => {
  const { connection, supervisor } = await bench(t, { shared: true });
  const session = await connection.openSession({ kind: 'exec', command: 'cat' });
  const closing = connection.close({ drainMs: 60_000 });
  await t.rejects(connection.openSession({ kind: 'exec', command: 'true' }), { code: 'CONNECTION_CLOSED' });
  session.end('to the end');
  t.equal(await text(session), 'to the end');
  await closing;
  t.equal(supervisor.state.kind, 'up');
});

t.test('it ends with the supervisor, for its reason; who waits hears it', async (t) => {
  const { connection, cut, clock, ahead } = await bench(t);
  ahead.push(new ViasshError('HOST_KEY_CHANGED', 'another key'));
  const listener = await connection.requestForward({ kind: 'tcpip', port: 0 }, shout);
  await cut();
  const waiting = t.rejects(connection.openSession({ kind: 'exec', command: 'true' }), { code: 'HOST_KEY_CHANGED' });
  const forward = t.rejects(connection.requestForward({ kind: 'tcpip', port: 0 }, shout), { code: 'HOST_KEY_CHANGED' });
  await clock.advance(500);
  t.match(await connection.closed, { kind: 'lost', error: { code: 'HOST_KEY_CHANGED' } });
  await Promise.all([waiting, forward, listener.closed]);
});

t.test('before it was ever up it tells what is expected, and dials for who asks', async (t) => {
  const { connection, reached } = await bench(t, {
    lazy: true,
    expected: { transport: 'memory', capabilities: new Set(['exec'] as const) },
  });
  t.equal(connection.transport, 'memory');
  t.ok(connection.capabilities.has('exec'));
  t.throws(() => connection.onIncomingChannel('x11', shout), { code: 'CAPABILITY_MISSING' });
  const answer = said(connection, 'echo first');
  await reached('up');
  t.equal(await answer, 'first\n');
  t.ok(connection.capabilities.has('x11'));
});

t.test('bytes and channels are counted over all connections, stderr too', async (t) => {
  const { connection, cut, clock, reached } = await bench(t);
  t.equal(await said(connection, 'echo four; echo five >&2'), 'four\n');
  await cut();
  await clock.advance(500);
  await reached('up');
  const session = await connection.openSession({ kind: 'exec', command: 'cat' });
  session.write('123');
  session.end('456');
  t.equal(await text(session), '123456');
  await waitUntil('the channels to close', () => connection.traffic.open === 0);
  t.strictSame(connection.traffic, { open: 0, channels: 2, sent: 6, received: 5 + 5 + 6 });
});
