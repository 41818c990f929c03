import { once } from 'node:events';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { type Channel, ViasshError } from '@viassh/core';
import { forwardLocal } from '@viassh/plugin-forward';
import { makeScratchFolder, waitUntil } from '@viassh/testing';
import t from 'tap';
import { allOf, client, echo, forwardWorld, listener, loopback, placeOf } from './forward-world.ts';

const to = (port: number) => ({ kind: 'tcp', host: '127.0.0.1', port }) as const;

t.test('a question that ends with EOF gets its answer, and both ends are counted', async (t) => {
  const { connection, events, onEvent } = await forwardWorld(t);
  const { port } = await listener(t, (socket) => {
    let asked = '';
    socket.on('data', (chunk) => (asked += String(chunk))).once('end', () => socket.end(`you said ${asked}`));
  });
  await using forward = await forwardLocal(connection, { listen: loopback, to: to(port) }, { onEvent });
  const asking = await client(t, placeOf(forward));
  const from = asking.localPort;
  asking.end('hello');
  t.equal(await allOf(asking), 'you said hello');
  await waitUntil('the connection to be closed', () => forward.counters.open === 0);
  t.same(forward.counters, { accepted: 1, open: 0, refused: 0, sent: 5, received: 14 });
  t.match(events, [
    {
      kind: 'opened',
      connection: {
        id: 1,
        originator: { address: '127.0.0.1', port: from },
        destination: `127.0.0.1:${port}`,
        sent: 0,
        received: 0,
      },
    },
    { kind: 'closed', connection: { id: 1, sent: 5, received: 14 }, error: undefined },
  ]);
});

t.test('a target that has said all still hears its client', async (t) => {
  const { connection } = await forwardWorld(t);
  const heard = Promise.withResolvers<string>();
  const { port } = await listener(t, (socket) => {
    socket.end('bye');
    void allOf(socket).then(heard.resolve);
  });
  await using forward = await forwardLocal(connection, { listen: loopback, to: to(port) });
  const late = await client(t, placeOf(forward));
  t.equal(await allOf(late), 'bye');
  t.equal(forward.counters.open, 1);
  late.end('one more thing');
  t.equal(await heard.promise, 'one more thing');
  await waitUntil('the connection to be closed', () => forward.counters.open === 0);
});

t.test('a client that goes on sending to a target that has closed is cut off', async (t) => {
  const { connection } = await forwardWorld(t);
  const { port } = await listener(t, (socket) => void socket.once('data', () => socket.destroy()));
  await using forward = await forwardLocal(connection, { listen: loopback, to: to(port) });
  const talker = await client(t, placeOf(forward));
  talker.resume();
  const piece = Buffer.alloc(64 * 1024);
  const much = 64 * 1024 * 1024; // more than all sockets on the way hold
  let sent = 0;
  for (; sent < much && !talker.destroyed; sent += piece.length)
    if (!talker.write(piece)) await Promise.race([once(talker, 'drain'), once(talker, 'close')]).catch(() => undefined);
  t.ok(sent < much, 'not all of it was taken and forgotten');
});

t.test('a target that is not there costs one client its connection, and no other', async (t) => {
  const { connection, events, onEvent } = await forwardWorld(t);
  const { port, server } = await listener(t, echo);
  await using forward = await forwardLocal(connection, { listen: loopback, to: to(port) }, { onEvent });
  const before = await client(t, placeOf(forward));
  await waitUntil('the first to be through', () => forward.counters.open === 1);
  server.close();
  t.equal(await allOf(await client(t, placeOf(forward))), '');
  t.match(events.at(-1), { kind: 'refused', originator: { address: '127.0.0.1' }, error: { code: 'CHANNEL_REFUSED' } });
  before.end('still there');
  t.equal(await allOf(before), 'still there');
  t.match(forward.counters, { accepted: 2, refused: 1 });
});

t.test('a client that goes while its channel is opened takes the opening with it', async (t) => {
  const { connection, events, onEvent } = await forwardWorld(t);
  const asked = Promise.withResolvers<AbortSignal | undefined>();
  const given = Promise.withResolvers<Channel>();
  const { port } = await listener(t, echo);
  const slow = {
    ...bare(connection),
    openDirectTcpip: async (_: unknown, { signal }: { signal?: AbortSignal | undefined } = {}) => {
      asked.resolve(signal);
      return await given.promise;
    },
  };
  await using forward = await forwardLocal(slow, { listen: loopback, to: to(port) }, { onEvent });
  const hasty = await client(t, placeOf(forward));
  const signal = await asked.promise;
  hasty.resetAndDestroy();
  await waitUntil('the opening to be aborted', () => signal?.aborted === true);
  const channel = await connection.openDirectTcpip({ host: '127.0.0.1', port });
  given.resolve(channel);
  await once(channel, 'close');
  await waitUntil('the book to be empty', () => forward.counters.refused === 1);
  t.match(events, [{ kind: 'refused', error: { code: 'ABORTED' } }]);
  t.same(forward.connections(), []);
});

t.test('a client that reads nothing holds up its own target, and nobody else', async (t) => {
  const { connection } = await forwardWorld(t, { windowSize: 64 * 1024 });
  const total = 64 * 1024 * 1024;
  const block = Buffer.alloc(256 * 1024);
  let written = 0;
  const { port } = await listener(t, (socket) => {
    const pour = (): void => {
      while (written < total) {
        written += block.length;
        if (socket.write(block)) continue;
        socket.once('drain', pour);
        return;
      }
      socket.end();
    };
    socket.once('data', (chunk) => {
      if (String(chunk) === 'flood') pour();
      else socket.end(chunk);
    });
  });
  await using forward = await forwardLocal(connection, { listen: loopback, to: to(port) });
  const stalled = await client(t, placeOf(forward));
  stalled.write('flood');
  let last = -1;
  const standsStill = (): boolean => {
    const stands = written > 0 && written === last;
    last = written;
    return stands;
  };
  await waitUntil('the flood to stand still', standsStill, { everyMs: 200 });
  t.ok(written < total, `stopped after ${written} bytes`);
  const others = await Promise.all(Array.from({ length: 50 }, () => client(t, placeOf(forward))));
  for (const other of others) other.end('ping');
  t.same(
    await Promise.all(others.map(allOf)),
    others.map(() => 'ping'),
  );
  let read = 0;
  stalled.on('data', (chunk) => (read += chunk.length));
  await once(stalled, 'end');
  t.equal(read, total);
});

t.test('a target that reads nothing makes its client wait', async (t) => {
  const { connection } = await forwardWorld(t, { windowSize: 64 * 1024 });
  const { port } = await listener(t, (socket) => void socket.pause());
  await using forward = await forwardLocal(connection, { listen: loopback, to: to(port) });
  const flooding = await client(t, placeOf(forward));
  const total = 64 * 1024 * 1024;
  flooding.write(Buffer.alloc(total));
  let last = -1;
  const standsStill = (): boolean => {
    const { sent } = forward.counters;
    const stands = sent > 0 && sent === last;
    last = sent;
    return stands;
  };
  await waitUntil('the flood to stand still', standsStill, { everyMs: 200 });
  t.ok(last < total, `stopped after ${last} bytes`);
});

t.test('two thousand connections at a time each get their own bytes back', async (t) => {
  const { connection } = await forwardWorld(t);
  const { port } = await listener(t, echo);
  await using forward = await forwardLocal(connection, { listen: loopback, to: to(port) });
  const clients: Socket[] = [];
  while (clients.length < 2000)
    clients.push(...(await Promise.all(Array.from({ length: 100 }, () => client(t, placeOf(forward))))));
  await waitUntil('all to be through', () => forward.counters.open === 2000, { withinMs: 20_000 });
  t.equal(new Set(forward.connections().map(({ id }) => id)).size, 2000);
  const answers = Promise.all(clients.map(allOf));
  for (const [index, socket] of clients.entries()) socket.end(`number ${index}`);
  t.same(
    await answers,
    clients.map((_, index) => `number ${index}`),
  );
  await waitUntil('all to be closed', () => forward.counters.open === 0);
  t.match(forward.counters, { accepted: 2000, refused: 0 });
});

t.test('a lost connection cuts clients off, and does not look like an end', async (t) => {
  const { connection, transport, events, onEvent } = await forwardWorld(t);
  const { port } = await listener(t, (socket) => void socket.write('half of it'));
  const forward = await forwardLocal(connection, { listen: loopback, to: to(port) }, { onEvent });
  const reader = await client(t, placeOf(forward));
  t.equal(String((await once(reader, 'data'))[0]), 'half of it');
  const failed = once(reader, 'error');
  transport.server.cut();
  t.match(await failed.catch((error: unknown) => [error]), [{ code: 'ECONNRESET' }]);
  await forward.closed;
  await t.rejects(client(t, placeOf(forward)), { code: 'ECONNREFUSED' });
  t.match(events.at(-1), { kind: 'closed', error: { code: 'CONNECTION_LOST' } });
  await forward.close();
});

t.test('closing lets clients finish as long as it is told to, and no longer', async (t) => {
  const { connection } = await forwardWorld(t);
  const { port } = await listener(t, echo);
  const forward = await forwardLocal(connection, { listen: loopback, to: to(port) });
  const ending = await client(t, placeOf(forward));
  await waitUntil('it to be through', () => forward.counters.open === 1);
  const closed = forward.close({ drainMs: 60_000 });
  await forward.closed;
  await t.rejects(client(t, placeOf(forward)), { code: 'ECONNREFUSED' });
  ending.end('the end');
  t.equal(await allOf(ending), 'the end');
  await closed;

  const other = await forwardLocal(connection, { listen: loopback, to: to(port) });
  const idle = await client(t, placeOf(other));
  await waitUntil('it to be through', () => other.counters.open === 1);
  await Promise.all([other.close(), other.close(), once(idle, 'end')]);
  t.match(other.counters, { open: 0, accepted: 1 });
});

const onEventThatThrows = (): void => {
  throw new Error('not my day');
};

t.test('a listener to events that throws ends nothing', async (t) => {
  const { connection } = await forwardWorld(t);
  const { port } = await listener(t, echo);
  await using forward = await forwardLocal(
    connection,
    { listen: loopback, to: to(port) },
    { onEvent: onEventThatThrows },
  );
  const socket = await client(t, placeOf(forward));
  socket.end('hello');
  t.equal(await allOf(socket), 'hello');
});

t.test('Unix sockets on both sides', async (t) => {
  const { connection, events, onEvent } = await forwardWorld(t);
  await using folder = await makeScratchFolder();
  const [near, far] = [join(folder.path, 'near'), join(folder.path, 'far')];
  await listener(t, echo, { path: far });
  await using _forward = await forwardLocal(
    connection,
    { listen: { kind: 'unix', path: near }, to: { kind: 'unix', path: far } },
    { onEvent },
  );
  const socket = await client(t, { path: near });
  socket.end('hello');
  t.equal(await allOf(socket), 'hello');
  t.match(events[0], { kind: 'opened', connection: { originator: undefined, destination: far } });
});

t.test('localhost is loopback of both families, and a star is every address', async (t) => {
  const { connection } = await forwardWorld(t);
  const { port } = await listener(t, echo);
  for (const host of ['localhost', '*', '']) {
    await using forward = await forwardLocal(connection, { listen: { kind: 'tcp', host, port: 0 }, to: to(port) });
    const { port: own } = forward.address as { port: number };
    t.ok(own > 0, `port ${own} for '${host}'`);
    for (const address of ['127.0.0.1', '::1']) {
      const socket = await client(t, { host: address, port: own });
      socket.end(address);
      t.equal(await allOf(socket), address);
    }
  }
});

t.test('a place that is taken, and an abort, leave no listener behind', async (t) => {
  const { connection } = await forwardWorld(t);
  const { port } = await listener(t, echo);
  const taken = { kind: 'tcp', host: '127.0.0.1', port } as const;
  await t.rejects(forwardLocal(connection, { listen: taken, to: to(1) }), { code: 'LISTEN_FAILED' });
  const signal = AbortSignal.abort(new ViasshError('ABORTED', 'changed my mind'));
  await t.rejects(forwardLocal(connection, { listen: loopback, to: to(1) }, { signal }), {
    message: 'changed my mind',
  });
});

/** A connection's methods, to be put into an object of the test. */
function bare(connection: Awaited<ReturnType<typeof forwardWorld>>['connection']) {
  return {
    closed: connection.closed,
    openSession: connection.openSession.bind(connection),
    openDirectStreamlocal: connection.openDirectStreamlocal.bind(connection),
  };
}
