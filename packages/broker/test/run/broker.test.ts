import { once } from 'node:events';
import { readdir, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { insecureAcceptAnyHostKey, ViasshError } from '@viassh/core';
import { createFakeClock, memoryRoute, waitUntil } from '@viassh/testing';
import t from 'tap';
import { askBroker, followLogs } from '../../src/control/ask-broker.ts';
import type { TunnelStatus } from '../../src/status/broker-status.ts';
import type { Broker, StartBrokerOptions } from '../../src/run/start-broker.ts';
import { brokerConfig, brokerWorld, clientOf, exchange } from './broker-world.ts';

function tunnelOf(broker: Broker, name: string): TunnelStatus | undefined {
  return broker.status().tunnels.find((tunnel) => tunnel.name === name);
}

t.test('lazy tunnels dial nothing before their first client, then share one login', async (t) => {
  const world = await brokerWorld(t);
  const [mail, news] = [join(world.folder, 'mail.sock'), join(world.folder, 'news.sock')];
  const broker = await world.start({
    mail: { listen: `unix:${mail}` },
    news: { plugin: 'cats', options: { listen: `unix:${news}` }, words: [] },
  });
  const { ok } = await askBroker(broker.socketPath, { ask: 'up', names: [] });
  t.ok(ok);
  t.same(world.dialled, []);
  t.match(tunnelOf(broker, 'news'), { state: 'up', listeners: [`unix:${news}`] });
  t.equal((await stat(mail)).mode & 0o777, 0o600);
  t.same(await Promise.all([exchange(mail, 'one'), exchange(news, 'two')]), ['one', 'two']);
  t.same(world.dialled, ['gate']);
  await waitUntil('the channels to be closed', () => broker.status().connections[0]?.channels === 0);
  const [connection, ...others] = broker.status().connections;
  t.same(others, []);
  t.match(connection, { state: 'up', ups: 1, sent: 6, received: 6, peer: /memory/, transport: 'memory' });
  t.same(
    broker.status().tunnels.map((tunnel) => tunnel.connection),
    [connection?.key, connection?.key],
  );
  await broker.close();
  t.same(await readdir(world.folder), []);
});

t.test('a tunnel that fails for good fails alone, and says why', async (t) => {
  const world = await brokerWorld(t);
  const taken = createServer();
  taken.listen(join(world.folder, 'taken.sock'));
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const good = join(world.folder, 'good.sock');
  const broker = await world.start({
    taken: { listen: `unix:${join(world.folder, 'taken.sock')}` },
    unknown: { plugin: 'nothing' },
    brief: { plugin: 'cats', words: [] },
    broken: { plugin: 'cats', options: { fail: true }, words: [] },
    good: { listen: `unix:${good}` },
  });
  const answer = await askBroker(broker.socketPath, { ask: 'up', names: [] });
  t.match(answer, {
    ok: true,
    said: [
      /^taken: failed: .*another program.*\(LISTEN_FAILED\)/,
      /^unknown: failed: .*\(PLUGIN_UNKNOWN\)/,
      /^brief: failed: .*does not stay.*\(CONFIG_INVALID\)/,
      /^broken: failed: a mistake in a plugin \(INTERNAL\)/,
      new RegExp(`^good: up, listening on unix:${good}$`),
    ],
  });
  t.equal(await exchange(good, 'well'), 'well');
  taken.close();
  await once(taken, 'close');
  await askBroker(broker.socketPath, { ask: 'retry', names: ['taken'] });
  await waitUntil('it to be up', () => tunnelOf(broker, 'taken')?.state === 'up');
});

t.test('a connection that cannot be had is told, and its clients wait while it is tried again', async (t) => {
  const world = await brokerWorld(t);
  const broker = await world.start({
    away: { via: 'nowhere', lazy: false, listen: `unix:${join(world.folder, 'a.sock')}`, wait: 0 },
  });
  const waiting = await waitUntil('the first attempt to fail', () =>
    broker.status().connections.find(({ state }) => state === 'waiting'),
  );
  t.match(waiting, { lastError: { code: 'CONNECTION_REFUSED' }, attempt: Number });
  t.equal(await exchange(join(world.folder, 'a.sock'), 'x'), '', 'wait: 0 turns it away');
  t.match(await askBroker(broker.socketPath, { ask: 'up', names: ['away'] }), {
    said: [/^away: up.*nothing listens there \(CONNECTION_REFUSED\)/],
  });
  const before = world.dialled.length;
  await askBroker(broker.socketPath, { ask: 'retry', names: [] });
  await waitUntil('another attempt at once', () => world.dialled.length > before);
});

t.test('a session is kept ready where clients get commands, and nowhere else', async (t) => {
  const world = await brokerWorld(t);
  const warm: [string, boolean][] = [];
  const connect: StartBrokerOptions['connect'] = async ({ destination }, details) => {
    warm.push([destination, details.warm]);
    throw new ViasshError('CONNECTION_REFUSED', 'nothing listens there');
  };
  const broker = await world.start(
    {
      raw: { via: 'one', lazy: false, listen: `unix:${join(world.folder, 'a.sock')}` },
      cats: {
        via: 'two',
        lazy: false,
        plugin: 'cats',
        options: { listen: `unix:${join(world.folder, 'b.sock')}` },
        words: [],
      },
    },
    { connect },
  );
  await waitUntil('both to be dialled', () => warm.length >= 2);
  const lease = { ask: 'lease', key: 'three auto', destination: 'three', ssh: [], transport: 'auto' } as const;
  await askBroker(broker.socketPath, lease);
  t.same(Object.fromEntries(warm), { one: true, two: false, three: true });
});

t.test('clients who come while it is lost get the next connection', async (t) => {
  const world = await brokerWorld(t);
  const path = join(world.folder, 'a.sock');
  const broker = await world.start({ a: { lazy: false, listen: `unix:${path}` } });
  t.equal(await exchange(path, 'one'), 'one');
  const held = await clientOf(path);
  held.write('x');
  await once(held, 'data');
  const old = world.server('gate');
  world.replace('gate');
  old.server.cut();
  await once(held.resume(), 'end');
  held.destroy();
  t.equal(await exchange(path, 'two'), 'two');
  t.match(broker.status().connections, [{ ups: 2, lastError: { code: 'CONNECTION_LOST' } }]);
  t.equal(tunnelOf(broker, 'a')?.state, 'up');
});

t.test('a failure that nobody may retry takes the tunnels of that connection down, and no others', async (t) => {
  const world = await brokerWorld(t);
  const good = join(world.folder, 'good.sock');
  const broker = await world.start(
    {
      bad: { via: 'changed', lazy: false, listen: `unix:${join(world.folder, 'bad.sock')}` },
      good: { listen: `unix:${good}` },
    },
    {
      connect: async ({ destination }, { signal, log }) => {
        if (destination === 'changed') throw new ViasshError('HOST_KEY_CHANGED', 'another key', { hint: 'look' });
        return await world
          .server(destination)
          .connect(memoryRoute(), { signal, log, verifyHostKey: insecureAcceptAnyHostKey(log) });
      },
    },
  );
  await waitUntil('it to fail', () => tunnelOf(broker, 'bad')?.state === 'failed');
  t.match(tunnelOf(broker, 'bad'), { lastError: { code: 'HOST_KEY_CHANGED', hint: 'look' }, listeners: [] });
  t.equal(await exchange(good, 'well'), 'well');
});

t.test(
  'down and up: clients are let go of, the socket is gone and comes again; unknown names change nothing',
  async (t) => {
    const world = await brokerWorld(t);
    const path = join(world.folder, 'a.sock');
    const broker = await world.start({
      a: { listen: `unix:${path}` },
      byHand: { manual: true, listen: `unix:${join(world.folder, 'm.sock')}` },
    });
    await waitUntil('a to be up', () => tunnelOf(broker, 'a')?.state === 'up');
    t.equal(tunnelOf(broker, 'byHand')?.state, 'down');
    t.match(await askBroker(broker.socketPath, { ask: 'down', names: ['a', 'b'] }), {
      ok: false,
      code: 'TUNNEL_UNKNOWN',
    });
    t.equal(tunnelOf(broker, 'a')?.state, 'up');
    const client = await clientOf(path);
    client.write('x');
    await once(client, 'data');
    const gone = once(client.resume(), 'end');
    t.match(await askBroker(broker.socketPath, { ask: 'down', names: ['a'] }), { ok: true, said: ['a: down'] });
    await gone;
    client.destroy();
    await t.rejects(stat(path), { code: 'ENOENT' });
    t.match(await askBroker(broker.socketPath, { ask: 'up', names: ['a', 'byHand'] }), { ok: true });
    t.equal(await exchange(path, 'again'), 'again');
    t.equal(tunnelOf(broker, 'byHand')?.state, 'up');
  },
);

t.test('reload changes what changed, and with a fault nothing', async (t) => {
  const world = await brokerWorld(t);
  const place = (name: string): string => join(world.folder, `${name}.sock`);
  const tunnel = (name: string, more = {}) => ({ listen: `unix:${place(name)}`, ...more });
  const broker = await world.start({
    kept: tunnel('kept'),
    changed: tunnel('changed'),
    gone: tunnel('gone'),
  });
  const held = await clientOf(place('kept'));
  held.write('x');
  await once(held, 'data');
  world.next = new ViasshError('CONFIG_INVALID', 'config.yaml:1:1 tunnels: no');
  t.match(await askBroker(broker.socketPath, { ask: 'reload' }), { ok: false, code: 'CONFIG_INVALID' });
  t.equal(await exchange(place('gone'), 'still there'), 'still there');
  world.next = brokerConfig({
    added: tunnel('added'),
    kept: tunnel('kept', { line: 7 }),
    changed: tunnel('changed', { words: ['cat; echo changed'] }),
  });
  t.same(await askBroker(broker.socketPath, { ask: 'reload' }), {
    ok: true,
    said: ['gone: gone', 'added: new', 'changed: changed'],
  });
  await askBroker(broker.socketPath, { ask: 'up', names: [] });
  held.end('y');
  const [rest] = (await once(held, 'data')) as [Buffer];
  t.equal(String(rest), 'y', 'a client of a tunnel that was kept goes on');
  t.equal(await exchange(place('changed'), ''), 'changed\n');
  t.equal(await exchange(place('added'), 'new'), 'new');
  await t.rejects(stat(place('gone')), { code: 'ENOENT' });
  t.same(
    broker.status().tunnels.map(({ name }) => name),
    ['added', 'kept', 'changed'],
  );
  held.destroy();
});

t.test('a second broker is refused and harms nothing; one that was asked to stop leaves nothing', async (t) => {
  const world = await brokerWorld(t);
  const broker = await world.start({ a: { listen: `unix:${join(world.folder, 'a.sock')}` } });
  await t.rejects(world.start({}), { code: 'BROKER_RUNNING' });
  t.match(await askBroker(broker.socketPath, { ask: 'status' }), { ok: true, status: { tunnels: [{ name: 'a' }] } });
  t.same(await askBroker(broker.socketPath, { ask: 'stop' }), { ok: true });
  await broker.ended;
  t.same(await readdir(world.folder), []);
  await (await world.start({})).close();
});

t.test('logs are told by tunnel, and followed', async (t) => {
  const world = await brokerWorld(t);
  const path = join(world.folder, 'a.sock');
  const broker = await world.start({
    a: { listen: `unix:${path}`, words: ['echo complaint >&2'] },
    b: { listen: `unix:${join(world.folder, 'b.sock')}` },
  });
  t.match(await askBroker(broker.socketPath, { ask: 'logs', name: 'c', follow: false }), { code: 'TUNNEL_UNKNOWN' });
  const stop = new AbortController();
  const lines: string[] = [];
  const following = (async () => {
    for await (const line of followLogs(broker.socketPath, { name: 'a', follow: true, signal: stop.signal }))
      lines.push(line);
  })();
  await exchange(path, '');
  await waitUntil('the complaint', () => lines.some((line) => line.includes('a: the far end: complaint')));
  stop.abort();
  await following;
  t.notOk(lines.some((line) => line.includes('b.sock')));
});

t.test('a broker that ends when idle waits so long for its first use, and ends', async (t) => {
  const world = await brokerWorld(t);
  const clock = createFakeClock();
  const config = brokerConfig({}, { idle: 60 });
  const broker = await world.start({}, { endsWhenIdle: true, clock, config });
  await clock.advance(59_000);
  t.ok((await askBroker(broker.socketPath, { ask: 'status' })).ok);
  await clock.advance(2000);
  await broker.ended;
  await t.rejects(askBroker(broker.socketPath, { ask: 'status' }), { code: 'BROKER_ABSENT' });
});

t.test(
  'a probe looks from end to end while there is a connection, and another one can be told by a reload',
  async (t) => {
    const world = await brokerWorld(t);
    const path = join(world.folder, 'a.sock');
    const clock = createFakeClock();
    const probe = { kind: 'banner', every: 60, timeout: 10 } as const;
    const tunnel = { listen: `unix:${path}`, words: ['echo hello; cat'] };
    const broker = await world.start({ a: { ...tunnel, probe } }, { clock });
    await clock.advance(61_000);
    t.equal(tunnelOf(broker, 'a')?.probe, undefined, 'a probe alone dials nothing');
    t.same(world.dialled, []);
    const held = await clientOf(path);
    await once(held, 'data');
    await clock.advance(61_000);
    t.match(await waitUntil('its result', () => tunnelOf(broker, 'a')?.probe), { ok: true, said: 'hello' });
    world.next = brokerConfig({ a: { ...tunnel, probe: { ...probe, kind: 'command', command: 'exit 3' } } });
    t.same(await broker.reload(), []);
    await clock.advance(61_000);
    t.match(await waitUntil('the other result', () => tunnelOf(broker, 'a')?.probe), { ok: false, said: /3/ });
    held.end('still there');
    const [rest] = (await once(held, 'data')) as [Buffer];
    t.equal(String(rest), 'still there');
    held.destroy();
  },
);

t.test('a control socket that was swept away comes again; a broker whose place was taken ends', async (t) => {
  const world = await brokerWorld(t);
  const clock = createFakeClock();
  const broker = await world.start({}, { clock });
  await rm(world.folder, { recursive: true });
  await clock.advance(10_000);
  await waitUntil('the socket', async () => (await stat(broker.socketPath).catch(() => undefined)) !== undefined);
  t.ok((await askBroker(broker.socketPath, { ask: 'status' })).ok);
  await rm(broker.socketPath);
  const other = createServer().listen(broker.socketPath);
  await once(other, 'listening');
  await clock.advance(10_000);
  await broker.ended;
  t.ok((await stat(broker.socketPath)).isSocket(), 'the other one keeps its socket');
  other.close();
  await once(other, 'close');
});

t.test('metrics are where the configuration says, also after a reload', async (t) => {
  const world = await brokerWorld(t);
  const [first, second] = [join(world.folder, 'm1'), join(world.folder, 'm2')];
  const broker = await world.start({}, { config: brokerConfig({}, { metrics: `unix:${first}` }) });
  const ask = 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n';
  t.match(await exchange(first, ask), /^HTTP\/1.1 200/);
  world.next = brokerConfig({}, { metrics: `unix:${second}` });
  await broker.reload();
  t.match(await exchange(second, ask), /^HTTP\/1.1 200/);
  await t.rejects(stat(first), { code: 'ENOENT' });
});

t.test('one that ends by itself as it was asked to is down, and comes again when it is asked for', async (t) => {
  const world = await brokerWorld(t);
  const path = join(world.folder, 'a.sock');
  const clock = createFakeClock();
  const options = { listen: `unix:${path}`, brief: true };
  const broker = await world.start({ a: { plugin: 'cats', options, words: [] } }, { clock });
  await waitUntil('it to end', () => tunnelOf(broker, 'a')?.state === 'down');
  t.equal(tunnelOf(broker, 'a')?.lastError, undefined);
  await clock.advance(120_000);
  t.equal(tunnelOf(broker, 'a')?.state, 'down');
  t.match(await askBroker(broker.socketPath, { ask: 'up', names: ['a'] }), { ok: true });
});

t.test(
  'a connection that lazy tunnels alone ride on is closed when idle, and comes again; others stay up',
  async (t) => {
    const world = await brokerWorld(t);
    const path = join(world.folder, 'lazy.sock');
    const clock = createFakeClock();
    const tunnels = {
      lazy: { via: 'gate', listen: `unix:${path}` },
      kept: { via: 'other', lazy: false, listen: `unix:${join(world.folder, 'kept.sock')}` },
    };
    const broker = await world.start(tunnels, { clock, config: brokerConfig(tunnels, { idle: 60 }) });
    const stateOf = (destination: string): string | undefined =>
      broker.status().connections.find((connection) => connection.destination === destination)?.state;
    t.equal(await exchange(path, 'one'), 'one');
    await waitUntil('its channel to close', () => broker.status().connections.every(({ channels }) => channels === 0));
    await clock.advance(61_000);
    t.same([stateOf('gate'), stateOf('other')], ['idle', 'up']);
    t.equal(await exchange(path, 'two'), 'two');
    t.same(world.dialled.filter((destination) => destination === 'other').length, 1);
  },
);
