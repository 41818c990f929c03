import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t from 'tap';
import {
  type Channel,
  type CloseReason,
  createLogger,
  type NearEnd,
  serveClients,
  type ServeOptions,
  ViasshError,
} from '@viassh/core';
import { FakeChannel } from '../connection/fake-channel.ts';

type OpenChannel = (signal: AbortSignal) => Promise<Channel>;

const openFake: OpenChannel = async () => new FakeChannel();

/** Clients of a port that is served; what was opened for them, and what was logged. */
async function serving(openChannel?: OpenChannel, more: Partial<ServeOptions> = {}) {
  const lost = Promise.withResolvers<CloseReason>();
  const stop = new AbortController();
  const listening = Promise.withResolvers<NearEnd>();
  const logged: string[] = [];
  const opened: FakeChannel[] = [];
  const open: OpenChannel = async () => {
    const channel = new FakeChannel();
    opened.push(channel);
    return channel;
  };
  const served = serveClients(
    { closed: lost.promise },
    { kind: 'tcp', host: '127.0.0.1', port: 0 },
    openChannel ?? open,
    {
      signal: stop.signal,
      log: createLogger('info', (level, line) => logged.push(`${level} ${line}`)),
      onListening: listening.resolve,
      ...more,
    },
  );
  served.catch(listening.reject);
  const { port } = (await listening.promise) as Extract<NearEnd, { kind: 'tcp' }>;
  const client = async (): Promise<Socket> => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  };
  return { port, client, served, stop, lose: lost.resolve, logged, opened };
}

/** The channel that the n-th client got. */
async function channelOf({ opened }: { readonly opened: readonly FakeChannel[] }, index: number): Promise<FakeChannel> {
  for (;;) {
    const channel = opened[index];
    if (channel !== undefined) return channel;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function textOf(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk) => (text += String(chunk)));
  await once(socket, 'end');
  return text;
}

t.test('each client has a channel of its own; all end with the signal, and the port is free', async (t) => {
  const { client, served, stop, port, ...rest } = await serving();
  const clients = [await client(), await client()];
  const channels = [await channelOf(rest, 0), await channelOf(rest, 1)];
  for (const [index, socket] of clients.entries()) {
    channels[index]?.say(`hello ${index}`);
    t.equal(String((await once(socket, 'data'))[0]), `hello ${index}`);
  }
  const closed = clients.map(async (socket) => await once(socket, 'close'));
  for (const socket of clients) socket.on('end', () => socket.end());
  stop.abort();
  await t.rejects(served, { code: 'ABORTED' });
  await Promise.all(closed);
  t.strictSame(
    channels.map((channel) => channel.destroyed),
    [true, true],
  );
  const refused = connect(port, '127.0.0.1');
  t.match(await once(refused, 'error'), [{ code: 'ECONNREFUSED' }]);
});

t.test('EOF goes both ways while the other way goes on', async (t) => {
  const { client, served, stop, ...rest } = await serving();
  const socket = await client();
  const channel = await channelOf(rest, 0);
  channel.say('bye');
  channel.push(null);
  t.equal(await textOf(socket), 'bye', 'the far end’s is told before the channel is closed');
  t.equal(channel.eof, false);
  socket.end('late');
  await once(channel, 'finish');
  t.equal(Buffer.concat(channel.taken).toString(), 'late');
  stop.abort();
  await t.rejects(served, { code: 'ABORTED' });
});

t.test('a far end that is through ends the client, who may still be sending', async (t) => {
  const { client, served, stop, ...rest } = await serving();
  const socket = await client();
  const channel = await channelOf(rest, 0);
  channel.say('x'.repeat(100_000));
  channel.finish();
  socket.end('y'.repeat(1_000_000)); // unread bytes at a close would take back what the client has not read
  t.equal((await textOf(socket)).length, 100_000);
  await once(socket, 'close');
  stop.abort();
  await t.rejects(served, { code: 'ABORTED' });
});

t.test('a client that goes on sending behind the end learns that nobody hears it', async (t) => {
  const { client, served, stop, ...rest } = await serving();
  const socket = await client();
  const channel = await channelOf(rest, 0);
  channel.say('bye');
  channel.finish();
  t.equal(await textOf(socket), 'bye');
  let failure: NodeJS.ErrnoException | undefined;
  socket.once('error', (error) => (failure = error));
  socket.end('y'.repeat(20_000_000));
  await new Promise((resolve) => socket.once('close', resolve));
  t.match(failure, { code: /ECONNRESET|EPIPE/ });
  stop.abort();
  await t.rejects(served, { code: 'ABORTED' });
});

t.test('a client whose channel is refused hears why; the next one is served', async (t) => {
  let refusals = 0;
  const channel = new FakeChannel();
  const bench = await serving(
    async () => {
      if ((refusals += 1) > 1) return channel;
      throw new ViasshError('CHANNEL_REFUSED', 'no more sessions');
    },
    { farewell: ({ message }) => `* BYE ${message}\r\n` },
  );
  const socket = await bench.client();
  socket.end('early bytes');
  t.equal(await textOf(socket), '* BYE no more sessions\r\n');
  t.ok(bench.logged.includes('warning a client was not served: no more sessions (CHANNEL_REFUSED)'));
  const next = await bench.client();
  channel.say('hello');
  t.equal(String((await once(next, 'data'))[0]), 'hello');
  bench.stop.abort();
  await t.rejects(bench.served, { code: 'ABORTED' });
});

t.test('clients that are not served: what to do about it is said once, not for each of them', async (t) => {
  const bench = await serving(async () => {
    throw new ViasshError('CHANNEL_REFUSED', 'no more sessions', { hint: 'raise MaxSessions' });
  });
  for (const hint of ['; raise MaxSessions', '']) {
    const socket = await bench.client();
    socket.end();
    await textOf(socket);
    t.ok(bench.logged.includes(`warning a client was not served: no more sessions (CHANNEL_REFUSED)${hint}`));
  }
  bench.stop.abort();
  await t.rejects(bench.served, { code: 'ABORTED' });
});

t.test('a client that is not admitted costs no channel', async (t) => {
  const bench = await serving(undefined, {
    admit: async () => {
      throw new ViasshError('CHANNEL_REFUSED', 'another user');
    },
    farewell: () => 'go',
  });
  const socket = await bench.client();
  t.equal(await textOf(socket), 'go');
  t.equal(bench.opened.length, 0);
  socket.end();
  bench.stop.abort();
  await t.rejects(bench.served, { code: 'ABORTED' });
});

t.test('nothing of ours is put into a stream that breaks off', async (t) => {
  const bench = await serving(undefined, { farewell: () => '* BYE' });
  const socket = await bench.client();
  const channel = await channelOf(bench, 0);
  channel.say('half a mess');
  t.equal(String((await once(socket, 'data'))[0]), 'half a mess');
  channel.destroy(new ViasshError('CONNECTION_LOST', 'gone'));
  t.equal(await textOf(socket), '');
  t.ok(bench.logged.includes('warning a client was cut off: gone (CONNECTION_LOST)'));
  socket.end();
  bench.stop.abort();
  await t.rejects(bench.served, { code: 'ABORTED' });
});

t.test('a client that goes while its channel is opened calls that off', async (t) => {
  const asked = Promise.withResolvers<AbortSignal>();
  const bench = await serving(async (signal) => {
    asked.resolve(signal);
    await once(signal, 'abort');
    throw new ViasshError('ABORTED', 'called off');
  });
  const socket = await bench.client();
  const signal = await asked.promise;
  socket.resetAndDestroy();
  await once(signal, 'abort');
  bench.stop.abort();
  await t.rejects(bench.served, { code: 'ABORTED' });
  t.notOk(bench.logged.some((line) => line.startsWith('warning')));
});

t.test('a client that does not read holds nobody up when all ends', async (t) => {
  const bench = await serving();
  const socket = await bench.client();
  const channel = await channelOf(bench, 0);
  for (let index = 0; index < 200; index += 1) channel.say(Buffer.alloc(100_000));
  bench.stop.abort();
  await t.rejects(bench.served, { code: 'ABORTED' });
  socket.destroy();
});

t.test('the end of the connection ends the listener, and says which end it was', async (t) => {
  const gone = new ViasshError('CONNECTION_LOST', 'the server went away');
  for (const [reason, code] of [
    [{ kind: 'lost', error: gone }, 'CONNECTION_LOST'],
    [{ kind: 'closed' }, 'CONNECTION_CLOSED'],
  ] as const) {
    const bench = await serving();
    const socket = await bench.client();
    await channelOf(bench, 0);
    bench.lose(reason);
    await t.rejects(bench.served, { code });
    socket.destroy();
    t.match(await once(connect(bench.port, '127.0.0.1'), 'error'), [{ code: 'ECONNREFUSED' }]);
  }
});

t.test('a place that is taken is told at once', async (t) => {
  const bench = await serving();
  const taken: NearEnd = { kind: 'tcp', host: '127.0.0.1', port: bench.port };
  const { signal } = new AbortController();
  const log = createLogger('quiet', () => undefined);
  const closed = new Promise<CloseReason>(() => undefined);
  await t.rejects(serveClients({ closed }, taken, openFake, { signal, log, onListening: () => t.fail('it listens') }), {
    code: 'LISTEN_FAILED',
  });
  bench.stop.abort();
  await t.rejects(bench.served, { code: 'ABORTED' });
});
