import { type Connection, type ErrorCode, ViasshError } from '@viassh/core';
import t from 'tap';
import { supervised } from './supervised.ts';

const failure = (code: ErrorCode): ViasshError => new ViasshError(code, `it says ${code}`);
const refused = failure('CONNECTION_REFUSED');

t.test('a first failure is final: what was never up is a mistake to fix', async (t) => {
  const { supervisor, states, reached, attempts, clock } = supervised(t, {}, [refused]);
  await reached('stopped CONNECTION_REFUSED');
  t.strictSame(states, ['connecting 1', 'stopped CONNECTION_REFUSED']);
  await t.rejects(supervisor.current(), { code: 'CONNECTION_REFUSED' });
  t.strictSame(await supervisor.stopped, { kind: 'lost', error: refused });
  t.equal(attempts, 1);
  t.strictSame(clock.pending, [], 'no timer is left');
});

t.test('with keepTrying it is retried, and no wait is longer than a quarter of the outage', async (t) => {
  const bench = supervised(
    t,
    { keepTrying: true, random: () => 1 },
    Array.from({ length: 30 }, () => refused),
  );
  const waits: number[] = [];
  await bench.clock.advance(0);
  for (let outage = 0; bench.states.at(-1)?.startsWith('waiting') === true; outage += waits.at(-1) ?? 0) {
    const wait = Number(bench.states.at(-1)?.split(' ')[2]);
    t.equal(wait, Math.round(Math.min(60_000, Math.max(1000, outage / 4))), `after ${outage} ms`);
    waits.push(wait);
    await bench.clock.advance(wait);
  }
  await bench.reached('up');
  t.strictSame(waits.slice(0, 6), [1000, 1000, 1000, 1000, 1000, 1250]);
  t.equal(waits.at(-1), 60_000);
  t.equal(bench.attempts, 31);
  t.equal(bench.supervisor.ups, 1);
});

t.test('a permanent failure is never retried, also not with keepTrying, also not after it was up', async (t) => {
  for (const code of ['HOST_KEY_CHANGED', 'HOST_KEY_UNKNOWN', 'AUTH_FAILED', 'PROTOCOL_ERROR'] as const) {
    const bench = supervised(t, { keepTrying: true });
    await bench.reached('up');
    bench.ahead.push(failure(code));
    await bench.cut();
    await bench.clock.advance(500);
    await bench.reached(`stopped ${code}`);
    await bench.clock.advance(3_600_000);
    t.equal(bench.attempts, 2, code);
    await t.rejects(bench.supervisor.current(), { code });
    t.match(await bench.supervisor.stopped, { kind: 'lost', error: { code } });
  }
});

t.test('lost: back after a wait; each change is one line with attempt, delay and code', async (t) => {
  const bench = supervised(t);
  await bench.reached('up');
  bench.ahead.push(refused);
  await bench.cut();
  await bench.clock.advance(500);
  await bench.reached('waiting 2 500 CONNECTION_REFUSED');
  await bench.clock.advance(1000);
  await bench.reached('up');
  t.strictSame(bench.states, [
    'connecting 1',
    'up',
    'waiting 1 500 CONNECTION_LOST',
    'connecting 1',
    'waiting 2 500 CONNECTION_REFUSED',
    'connecting 2',
    'up',
  ]);
  t.equal(bench.log.length, 7);
  t.match(bench.log[1], /^up, round trip \d+\.\d ms$/);
  t.equal(bench.log[2], 'the connection to the server was lost (CONNECTION_LOST); attempt 1 in 0.5 s');
  t.equal(bench.log[4], 'it says CONNECTION_REFUSED (CONNECTION_REFUSED); attempt 2 in 0.5 s');
  t.match(bench.log[6], /^up again, /);
});

t.test('waits get short again only after the connection stayed up for a while', async (t) => {
  const bench = supervised(t, { random: () => 1 });
  for (const wait of [1000, 1000, 1000, 1000, 1000, 1250]) {
    await bench.reached('up');
    await bench.cut();
    t.equal(bench.states.at(-1), `waiting 1 ${wait} CONNECTION_LOST`);
    await bench.clock.advance(wait);
  }
  for (const [upMs, wait] of [
    [29_000, 1563],
    [30_000, 1000],
  ] as const) {
    await bench.reached('up');
    await bench.clock.advance(upMs);
    await bench.cut();
    t.equal(bench.states.at(-1), `waiting 1 ${wait} CONNECTION_LOST`, `after ${upMs} ms of being up`);
    await bench.clock.advance(wait);
  }
});

t.test('a server that hangs up before the login twice is left alone for its shortest penalty', async (t) => {
  const closed = failure('SERVER_CLOSED');
  const bench = supervised(t, { keepTrying: true }, [closed, closed, closed]);
  await bench.reached('waiting 2 500 SERVER_CLOSED');
  await bench.clock.advance(500);
  await bench.reached('waiting 3 15500 SERVER_CLOSED');
  await bench.network({ come: ['route'] });
  t.equal(bench.attempts, 2, 'a new route does not cut that wait short');
  bench.supervisor.retryNow('asked for');
  await bench.reached('waiting 4 15500 SERVER_CLOSED');
  await bench.clock.advance(15_500);
  await bench.reached('up');
});

t.test('those who ask share one attempt, and listeners hear of the connection before them', async (t) => {
  const bench = supervised(t, { lazy: true });
  const order: string[] = [];
  bench.supervisor.onUp(() => order.push('listener'));
  const got = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const connection = await bench.supervisor.current();
      order.push('caller');
      return connection;
    }),
  );
  t.equal(new Set(got).size, 1);
  t.equal(bench.attempts, 1);
  t.strictSame(order.slice(0, 2), ['listener', 'caller']);
  const told: Connection[] = [];
  using _ = bench.supervisor.onUp((connection) => told.push(connection));
  t.strictSame(told, [got[0]], 'and at once, when one is up');
});

t.test('who does not want to wait for long is told why it is not up', async (t) => {
  const bench = supervised(t, { keepTrying: true }, ['hang']);
  const { supervisor, clock } = bench;
  await t.rejects(supervisor.current({ waitMs: 0 }), { code: 'CONNECT_TIMEOUT' });
  await t.rejects(supervisor.current({ signal: AbortSignal.abort() }), { code: 'ABORTED' });
  const controller = new AbortController();
  const [aborted, late] = [supervisor.current({ signal: controller.signal }), supervisor.current({ waitMs: 3000 })];
  controller.abort();
  await t.rejects(aborted, { code: 'ABORTED' });
  await Promise.all([t.rejects(late, { code: 'CONNECT_TIMEOUT' }), clock.advance(3000)]);
  t.equal(bench.givenUp, 0, 'the attempt goes on for the others');
});

t.test('who waits while it waits gets the last failure, or the connection', async (t) => {
  const bench = supervised(t, { keepTrying: true }, [refused]);
  await bench.reached('waiting 2 500 CONNECTION_REFUSED');
  await t.rejects(bench.supervisor.current({ waitMs: 0 }), { code: 'CONNECTION_REFUSED' });
  const late = bench.supervisor.current({ waitMs: 499 });
  const got = bench.supervisor.current({ waitMs: 501 });
  await Promise.all([t.rejects(late, { code: 'CONNECTION_REFUSED' }), bench.clock.advance(500)]);
  t.equal(await got, bench.connections[0]);
});
