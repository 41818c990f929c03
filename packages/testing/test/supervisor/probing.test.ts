import { ViasshError } from '@viassh/core';
import t from 'tap';
import { supervised } from './supervised.ts';

const HOUR_MS = 3_600_000;

t.test('a login whose connection never answers is not up', async (t) => {
  const bench = supervised(t, { keepTrying: true });
  bench.silent = true;
  await bench.reached('connecting 1');
  await bench.clock.advance(14_999);
  t.equal(bench.states.length, 1);
  await bench.clock.advance(1);
  t.equal(bench.states.at(-1), 'waiting 2 1875 CONNECTION_LOST');
  t.equal(bench.supervisor.ups, 0);
  bench.silent = false;
  await bench.clock.advance(1875);
  await bench.reached('up');
});

t.test('the wall clock jumps, either way: probed at once, and what answers stays', async (t) => {
  const bench = supervised(t);
  await bench.reached('up');
  for (const jump of [HOUR_MS, -HOUR_MS, 2100, -2100]) {
    const before = bench.pings;
    bench.clock.setWall(jump);
    await bench.clock.advance(500);
    t.equal(bench.pings, before + 1, `${jump} ms`);
  }
  const before = bench.pings;
  bench.clock.setWall(1900);
  await bench.clock.advance(HOUR_MS);
  t.equal(bench.pings, before, 'a correction of the clock is none');
  t.strictSame(bench.states, ['connecting 1', 'up']);
});

t.test('a machine that slept: what does not answer within a second is connected anew at once', async (t) => {
  const bench = supervised(t);
  await bench.reached('up');
  bench.silent = true;
  bench.clock.setWall(8 * HOUR_MS);
  await bench.clock.advance(1499);
  t.equal(bench.states.at(-1), 'up');
  const [lost] = bench.connections;
  bench.silent = false;
  await bench.clock.advance(1);
  await bench.reached('up');
  t.strictSame(bench.states.slice(2), ['waiting 1 0 CONNECTION_LOST', 'connecting 1', 'up']);
  t.strictSame(await lost?.closed, { kind: 'closed' });
  t.equal(await bench.supervisor.current(), bench.connections[1]);
});

t.test('a process that stood still is probed, too, and a late timer alone is no silence', async (t) => {
  const bench = supervised(t);
  await bench.reached('up');
  const before = bench.pings;
  await bench.clock.leap(60_000);
  t.equal(bench.pings, before + 1);
  bench.silent = true;
  bench.supervisor.retryNow('a person asks');
  await bench.clock.leap(5000);
  t.equal(bench.states.at(-1), 'up', 'the answer may be here, unread');
  await bench.clock.advance(1000);
  t.match(bench.states, [/.*/, /.*/, 'waiting 1 0 CONNECTION_LOST']);
});

t.test('a wake cuts the wait short, and ends an attempt that leads nowhere; a first one is left alone', async (t) => {
  const bench = supervised(t, {}, ['hang']);
  bench.clock.setWall(HOUR_MS);
  await bench.clock.advance(500);
  t.equal(bench.givenUp, 0);
  const other = supervised(t, { random: () => 0.9 });
  await other.reached('up');
  other.ahead.push(new ViasshError('HOST_UNREACHABLE', 'no network'), 'hang');
  await other.cut();
  await other.clock.advance(900);
  await other.reached('waiting 2 900 HOST_UNREACHABLE');
  other.clock.setWall(HOUR_MS);
  await other.clock.advance(500);
  t.equal(other.states.at(-1), 'connecting 2');
  other.clock.setWall(HOUR_MS);
  await other.clock.advance(500);
  await other.reached('up');
  t.equal(other.givenUp, 1);
  t.strictSame(other.states.slice(-3), ['connecting 2', 'connecting 2', 'up']);
});

t.test('an address that is gone: probed; one that is new: only a wait is cut short', async (t) => {
  const bench = supervised(t);
  await bench.reached('up');
  const before = bench.pings;
  await bench.network({ come: ['10.0.0.2 on eth0'] });
  t.equal(bench.pings, before);
  await bench.network({ gone: ['10.0.0.2 on eth0'] });
  t.equal(bench.pings, before + 1);
  bench.ahead.push(new ViasshError('HOST_UNREACHABLE', 'no network'), 'hang');
  await bench.cut();
  await bench.network({ come: ['10.0.0.3 on eth0'] });
  await bench.reached('waiting 2 500 HOST_UNREACHABLE');
  t.match(bench.log.at(-3), 'new: 10.0.0.3 on eth0: trying now');
  await bench.clock.advance(3000);
  await bench.network({ gone: ['a route'] });
  t.equal(bench.givenUp, 0, 'an attempt that has just begun may go by the new route');
  await bench.clock.advance(2501);
  await bench.network({ gone: ['a route'] });
  await bench.reached('up');
  t.equal(bench.givenUp, 1);
});

t.test('probe: false: a link that comes back after any time goes on', async (t) => {
  const bench = supervised(t, { probe: false });
  await bench.reached('up');
  const before = bench.pings;
  bench.silent = true;
  bench.clock.setWall(HOUR_MS);
  await bench.clock.advance(1000);
  await bench.network({ gone: ['a route'] });
  await bench.clock.advance(HOUR_MS);
  t.equal(bench.pings, before);
  t.equal(bench.states.at(-1), 'up');
});

t.test('the poll: after firstPollMs, then each pollMs; 15 seconds for the answer, fewer after a wake', async (t) => {
  const bench = supervised(t, { firstPollMs: 30_000, pollMs: 600_000 });
  await bench.reached('up');
  const pinged = bench.pings;
  await bench.clock.advance(30_000);
  t.equal(bench.pings, pinged + 1);
  await bench.clock.advance(599_999);
  t.equal(bench.pings, pinged + 1);
  bench.silent = true;
  await bench.clock.advance(1);
  t.equal(bench.pings, pinged + 2);
  await bench.clock.advance(14_999);
  t.equal(bench.states.at(-1), 'up');
  bench.silent = false;
  await bench.clock.advance(1);
  await bench.reached('up');
  t.strictSame(bench.states.slice(2), ['waiting 1 0 CONNECTION_LOST', 'connecting 1', 'up']);
  await bench.clock.advance(29_999);
  bench.silent = true;
  await bench.clock.advance(1);
  bench.supervisor.retryNow('a person asks');
  await bench.clock.advance(1000);
  t.equal(bench.supervisor.state.kind, 'connecting', 'the shorter limit counts');
});

t.test('a poll that is answered measures the round trip', async (t) => {
  const bench = supervised(t, { pollMs: 1000 });
  await bench.reached('up');
  const [connection] = bench.connections;
  if (connection !== undefined) connection.ping = async () => 42;
  await bench.clock.advance(1000);
  t.match(bench.supervisor.state, { kind: 'up', roundTripMs: 42 });
  if (connection !== undefined) connection.ping = async () => 1000;
  await bench.clock.advance(1000);
  bench.silent = true;
  if (connection !== undefined) connection.ping = async () => await new Promise(() => undefined);
  bench.supervisor.retryNow('a person asks');
  await bench.clock.advance(3999);
  t.equal(bench.states.at(-1), 'up', 'four times the round trip');
  await bench.clock.advance(1);
  t.equal(bench.supervisor.state.kind, 'connecting');
});
