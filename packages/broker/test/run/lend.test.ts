import { once } from 'node:events';
import { join } from 'node:path';
import { type Connection, silentLogger, ViasshError } from '@viassh/core';
import { createFakeClock, waitUntil } from '@viassh/testing';
import t from 'tap';
import { openControl } from '../../src/control/ask-broker.ts';
import { leaseFromBroker } from '../../src/control/lease-from-broker.ts';
import type { LeaseRequest } from '../../src/control/requests.ts';
import type { Broker } from '../../src/run/start-broker.ts';
import { brokerConfig, brokerWorld, clientOf, exchange } from './broker-world.ts';

const leaseOf = (destination: string, ssh: readonly string[] = []): LeaseRequest => ({
  ask: 'lease',
  key: [destination, ...ssh, 'auto'].join(' '),
  destination,
  ssh,
  transport: 'auto',
});

async function borrow({ socketPath }: Broker, request: LeaseRequest): Promise<Connection | undefined> {
  return await leaseFromBroker(socketPath, request, { log: silentLogger });
}

async function said(connection: Connection | undefined, command: string): Promise<{ text: string; exit: unknown }> {
  if (connection === undefined) throw new Error('there is no lease');
  const channel = await connection.openSession({ kind: 'exec', command });
  channel.stderr.resume();
  channel.end();
  let text = '';
  for await (const chunk of channel) text += String(chunk);
  return { text, exit: await channel.exit };
}

t.test('commands and tunnels share one login, and a lease that is given back leaves it', async (t) => {
  const world = await brokerWorld(t);
  const path = join(world.folder, 'a.sock');
  const broker = await world.start({ a: { listen: `unix:${path}` } });
  for (const word of ['one', 'two', 'three']) {
    const lease = await borrow(broker, leaseOf('gate'));
    t.same(await said(lease, `echo ${word}; exit 3`), { text: `${word}\n`, exit: { kind: 'status', code: 3 } });
    t.match(broker.status().connections, [{ leases: 1 }]);
    await lease?.close();
  }
  t.equal(await exchange(path, 'through the tunnel'), 'through the tunnel');
  t.same(world.dialled, ['gate']);
  await waitUntil('the leases to be back', () => broker.status().connections[0]?.leases === 0);
  await waitUntil('all channels to be closed', () => broker.status().connections[0]?.channels === 0);
  t.match(broker.status().connections, [{ state: 'up', ups: 1 }]);
});

t.test('another key, another login: one that the broker would make differently is not lent at all', async (t) => {
  const world = await brokerWorld(t);
  const broker = await world.start({});
  const [plain, typed] = await Promise.all([
    borrow(broker, leaseOf('gate')),
    borrow(broker, leaseOf('gate', ['-i', 'k'])),
  ]);
  t.ok(plain && typed);
  t.same(world.dialled, ['gate', 'gate']);
  t.equal(await borrow(broker, { ...leaseOf('gate'), key: 'of another ssh_config' }), undefined);
  t.equal(world.dialled.length, 2);
  world.next = brokerConfig({}, { share: 'no' });
  await broker.reload();
  t.equal(await borrow(broker, leaseOf('gate')), undefined);
  await Promise.all([plain?.close(), typed?.close()]);
});

t.test('what cannot be had at once is not waited for; a failure for good is not repeated for each', async (t) => {
  const world = await brokerWorld(t);
  const dialled: string[] = [];
  const broker = await world.start(
    {},
    {
      connect: async ({ destination }) => {
        dialled.push(destination);
        if (destination === 'nowhere') throw new ViasshError('CONNECTION_REFUSED', 'nothing listens there');
        throw new ViasshError('AUTH_FAILED', 'a passphrase is wanted');
      },
    },
  );
  t.equal(await borrow(broker, leaseOf('nowhere')), undefined);
  t.strictSame(dialled, ['nowhere']);
  const { answer, socket } = await openControl(broker.socketPath, leaseOf('locked'));
  socket.destroy();
  t.match(answer, { ok: false, code: 'AUTH_FAILED', message: 'a passphrase is wanted' });
  t.equal(await borrow(broker, leaseOf('locked')), undefined);
  t.equal(dialled.filter((destination) => destination === 'locked').length, 1);
});

t.test('a lost connection is lost to who has borrowed it, and the next lease has another', async (t) => {
  const world = await brokerWorld(t);
  const broker = await world.start({});
  const lease = await borrow(broker, leaseOf('gate'));
  const channel = await lease?.openSession({ kind: 'exec', command: 'cat' });
  channel?.stderr.resume();
  const old = world.server('gate');
  world.replace('gate');
  old.server.cut();
  t.match(await lease?.closed, { kind: 'lost', error: { code: 'CONNECTION_LOST' } });
  await t.rejects(async () => await channel?.exit, { code: 'CONNECTION_LOST' });
  channel?.destroy();
  await lease?.close();
  const next = await borrow(broker, leaseOf('gate'));
  t.match(await said(next, 'echo well'), { text: 'well\n' });
  await next?.close();
});

t.test('the broker ends in order: lost to who has borrowed, before the channels end', async (t) => {
  const world = await brokerWorld(t);
  const broker = await world.start({});
  const lease = await borrow(broker, leaseOf('gate'));
  const channel = await lease?.openSession({ kind: 'exec', command: 'cat' });
  channel?.stderr.resume();
  channel?.resume();
  const [closing, error] = [broker.close(), { code: 'CONNECTION_LOST', message: 'the broker closed the connection' }];
  await t.rejects(async () => await channel?.exit, error);
  t.match(await lease?.closed, { kind: 'lost', error });
  await closing;
});

t.test(
  'a login that was made anew by a changed ssh_config is not lent to who asks for the one of before',
  async (t) => {
    const world = await brokerWorld(t);
    let config = 'one';
    const broker = await world.start({}, { keyOf: async ({ destination }) => `${destination} by ${config}` });
    const asked = { ...leaseOf('gate'), key: 'gate by one' };
    const lease = await borrow(broker, asked);
    t.ok(lease);
    const old = world.server('gate');
    world.replace('gate');
    config = 'two';
    old.server.cut();
    await lease?.closed;
    await lease?.close();
    await waitUntil('the next login', () => broker.status().connections[0]?.ups === 2);
    config = 'one';
    t.equal(await borrow(broker, asked), undefined);
  },
);

t.test('a client that dies, floods or stops reading ends alone, and the commands of a dead one end', async (t) => {
  const world = await brokerWorld(t);
  const broker = await world.start({});
  const good = await borrow(broker, leaseOf('gate'));
  const { socket: dying } = await openControl(broker.socketPath, leaseOf('gate'));
  dying.destroy();
  const flood = await clientOf(broker.socketPath);
  flood.write(`${JSON.stringify({ version: 1, ...leaseOf('gate') })}\n`);
  flood.on('drain', pour).resume();
  function pour(): void {
    while (!flood.destroyed && flood.write(Buffer.alloc(65_536, 0xff)));
  }
  pour();
  await waitUntil('the flood to be cut off', () => flood.destroyed);
  const holder = await borrow(broker, leaseOf('gate'));
  const channel = await holder?.openSession({ kind: 'exec', command: 'yes' });
  await once(channel ?? flood, 'readable');
  t.match(await said(good, 'echo well'), { text: 'well\n' });
  await holder?.close();
  await waitUntil('the others to be gone', () => broker.status().connections[0]?.leases === 1);
  await waitUntil('their channels to be closed', () => broker.status().connections[0]?.channels === 0);
  await good?.close();
});

t.test('what commands alone have used is closed when idle, and a broker for them alone ends', async (t) => {
  const world = await brokerWorld(t);
  const clock = createFakeClock();
  const config = brokerConfig({}, { share: 'auto', idle: 60 });
  const broker = await world.start({}, { clock, config, endsWhenIdle: true });
  const lease = await borrow(broker, leaseOf('gate'));
  await clock.advance(200_000);
  t.match(broker.status().connections, [{ state: 'up' }]);
  await lease?.close();
  await waitUntil('it to be back', () => broker.status().connections[0]?.leases === 0);
  await clock.advance(59_000);
  t.match(broker.status().connections, [{ state: 'up' }]);
  await clock.advance(3000);
  await broker.ended;
});
