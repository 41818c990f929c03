import { ViasshError } from '@viassh/core';
import t from 'tap';
import { supervised } from './supervised.ts';

const refusals = (): ViasshError[] => Array.from({ length: 99 }, () => refused);
const refused = new ViasshError('CONNECTION_REFUSED', 'nothing listens');

t.test('lazy: nothing is dialled until somebody asks, and nobody dials for nobody', async (t) => {
  const bench = supervised(t, { lazy: true });
  await bench.clock.advance(60_000);
  t.equal(bench.attempts, 0);
  t.strictSame(bench.clock.pending, []);
  const held = bench.supervisor.hold();
  await bench.supervisor.current();
  await bench.cut();
  t.equal(bench.states.at(-1), 'waiting 1 500 CONNECTION_LOST', 'somebody uses it');
  await bench.clock.advance(500);
  await bench.reached('up');
  held[Symbol.dispose]();
  await bench.cut();
  t.equal(bench.states.at(-1), 'idle');
  await bench.clock.advance(60_000);
  t.equal(bench.attempts, 2);
  await bench.supervisor.current();
  t.equal(bench.states.at(-1), 'up');
});

t.test('idle: closed so long after the last hold, not before, and up again for the next who asks', async (t) => {
  const bench = supervised(t, { lazy: true, idleMs: 1000 });
  const [first, second] = [bench.supervisor.hold(), bench.supervisor.hold()];
  await bench.supervisor.current();
  await bench.clock.advance(10_000);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  await bench.clock.advance(10_000);
  t.equal(bench.states.at(-1), 'up', 'disposed of twice is let go of once');
  second[Symbol.dispose]();
  await bench.clock.advance(999);
  await bench.supervisor.current();
  await bench.clock.advance(999);
  t.equal(bench.states.at(-1), 'up', 'asked for meanwhile');
  await bench.clock.advance(1);
  t.equal(bench.states.at(-1), 'idle');
  t.strictSame(await bench.connections[0]?.closed, { kind: 'closed' });
  t.strictSame(bench.clock.pending, [], 'no timer is left');
  const again = await bench.supervisor.current();
  t.equal(again, bench.connections[1]);
  await bench.clock.advance(1000);
  t.strictSame(bench.states.slice(-4), ['idle', 'connecting 1', 'up', 'idle']);
});

t.test('what cannot be reached is given up when nobody waits for it any more', async (t) => {
  const idle = supervised(t, { keepTrying: true, idleMs: 10_000 }, refusals());
  const lazy = supervised(t, { keepTrying: true, lazy: true }, refusals());
  for (const { supervisor, clock } of [idle, lazy]) {
    await Promise.all([
      t.rejects(supervisor.current({ waitMs: 5000 }), { code: 'CONNECTION_REFUSED' }),
      clock.advance(5000),
    ]);
    t.equal(supervisor.state.kind, 'waiting');
  }
  await idle.clock.advance(9999);
  t.equal(idle.supervisor.state.kind, 'waiting', 'not before the time is over, however often it fails');
  await Promise.all([idle.clock.advance(1), lazy.clock.advance(2500)]);
  for (const bench of [idle, lazy]) {
    t.equal(bench.states.at(-1), 'idle');
    const { attempts } = bench;
    await bench.clock.advance(3_600_000);
    t.equal(bench.attempts, attempts);
    t.not(bench.states.at(-2), 'idle', 'once');
  }
});

t.test('a connection lost within the gate time counts as one that was never up', async (t) => {
  const early = supervised(t, { gateMs: 30_000 });
  await early.reached('up');
  await early.clock.advance(29_000);
  await early.cut();
  t.equal(early.states.at(-1), 'stopped CONNECTION_LOST');
  const late = supervised(t, { gateMs: 30_000 });
  await late.reached('up');
  await late.clock.advance(30_000);
  for (let round = 0; round < 3; round += 1) {
    await late.cut();
    t.match(late.states.at(-1), /^waiting 1 \d+ CONNECTION_LOST$/);
    await late.clock.advance(10_000);
    await late.reached('up');
  }
});

t.test('so many attempts in all', async (t) => {
  const bench = supervised(t, { maxStarts: 3, keepTrying: true }, [refused]);
  await bench.reached('waiting 2 500 CONNECTION_REFUSED');
  await bench.clock.advance(500);
  await bench.reached('up');
  await bench.cut();
  await bench.clock.advance(1000);
  await bench.reached('up');
  await bench.cut();
  t.equal(bench.states.at(-1), 'stopped CONNECTION_LOST');
  t.equal(bench.attempts, 3);
});

t.test('closed for good at the end of its lifetime, up or not', async (t) => {
  const [up, waiting] = [
    supervised(t, { maxLifetimeMs: 3_600_000 }),
    supervised(
      t,
      { maxLifetimeMs: 45_000, keepTrying: true },
      Array.from({ length: 9 }, () => refused),
    ),
  ];
  await up.reached('up');
  await up.clock.advance(3_599_999);
  t.equal(up.states.at(-1), 'up');
  await Promise.all([up.clock.advance(1), waiting.clock.advance(45_000)]);
  for (const { supervisor, states, clock } of [up, waiting]) {
    t.equal(states.at(-1), 'stopped');
    t.strictSame(await supervisor.stopped, { kind: 'closed' });
    t.strictSame(clock.pending, []);
  }
});

t.test('close: ends an attempt at once, and all who wait', async (t) => {
  const bench = supervised(t, {}, ['hang']);
  const waiting = bench.supervisor.current();
  const [closed] = await Promise.all([
    Promise.all([bench.supervisor.close(), bench.supervisor.close()]),
    t.rejects(waiting, { code: 'CONNECTION_CLOSED' }),
  ]);
  t.equal(closed.length, 2);
  t.equal(bench.givenUp, 1);
  t.strictSame(await bench.supervisor.stopped, { kind: 'closed' });
  t.strictSame(bench.clock.pending, []);
  bench.supervisor.retryNow('too late');
  await t.rejects(bench.supervisor.current(), { code: 'CONNECTION_CLOSED' });
  t.strictSame(bench.states, ['connecting 1', 'stopped']);
});

t.test('close while it is up, while it waits, while the first answer is out', async (t) => {
  const up = supervised(t, { pollMs: 60_000 });
  await up.supervisor.current({ waitMs: 60_000 });
  await up.supervisor.close();
  t.strictSame(await up.connections[0]?.closed, { kind: 'closed' });

  const waiting = supervised(t, { keepTrying: true }, [refused]);
  await waiting.reached('waiting 2 500 CONNECTION_REFUSED');
  await waiting.supervisor.close();
  await waiting.clock.advance(3_600_000);
  t.equal(waiting.attempts, 1);

  const silent = supervised(t);
  silent.silent = true;
  await silent.clock.advance(100);
  t.equal(silent.pings, 1);
  await silent.supervisor.close();
  t.strictSame(await silent.connections[0]?.closed, { kind: 'closed' });
  for (const { clock, states } of [up, waiting, silent]) {
    t.strictSame(clock.pending, []);
    t.equal(states.at(-1), 'stopped');
  }
});

t.test('the signal ends everything at once, also before the beginning', async (t) => {
  const controller = new AbortController();
  const bench = supervised(t, { signal: controller.signal }, ['hang']);
  const waiting = bench.supervisor.current();
  controller.abort(new ViasshError('ABORTED', 'somebody pressed the key'));
  await t.rejects(waiting, { code: 'ABORTED', message: 'somebody pressed the key' });
  t.strictSame(await bench.supervisor.stopped, { kind: 'closed' });
  const never = supervised(t, { signal: controller.signal });
  t.strictSame(await never.supervisor.stopped, { kind: 'closed' });
  t.equal(never.attempts, 0);
});

t.test('a connection that somebody else closed is not brought back', async (t) => {
  const bench = supervised(t, { keepTrying: true });
  await bench.reached('up');
  await bench.connections[0]?.close();
  await bench.reached('stopped');
  t.strictSame(await bench.supervisor.stopped, { kind: 'closed' });
});

t.test('listeners that throw, leave, or close it while they are told, disturb nobody', async (t) => {
  const bench = supervised(t, { lazy: true });
  const { supervisor } = bench;
  supervisor.onState(() => {
    throw new Error('mine');
  });
  let told = 0;
  const left = supervisor.onUp(() => (told += 100));
  left[Symbol.dispose]();
  supervisor.onUp(() => {
    told += 1;
    supervisor.onUp(() => (told += 10));
  });
  await supervisor.current();
  t.equal(told, 11, 'each is told once');
  const closing = supervised(t, { lazy: true });
  closing.supervisor.onUp(() => void closing.supervisor.close());
  await t.rejects(closing.supervisor.current(), { code: 'CONNECTION_CLOSED' });
  t.strictSame(closing.states, ['idle', 'connecting 1', 'stopped']);
});

t.test('what waits for the next attempt keeps the process alive; what watches does not', async (t) => {
  const bench = supervised(t);
  await bench.reached('up');
  await bench.clock.advance(1000);
  t.ok(bench.clock.pending.length > 0);
  t.notOk(bench.clock.pending.some((timer) => timer.hasRef()));
  await bench.cut();
  t.equal(bench.clock.pending.filter((timer) => timer.hasRef()).length, 1);
});
