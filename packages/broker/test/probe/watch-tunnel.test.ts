import t from 'tap';
import { createLogger, type ExitStatus } from '@viassh/core';
import { type ProbeResult, watchTunnel } from '@viassh/broker';
import { createFakeClock } from '@viassh/testing';

t.test('a probe runs on time, only while there is a connection, and tells of changes alone', async (t) => {
  const clock = createFakeClock();
  const said: string[] = [];
  const results: ProbeResult[] = [];
  let up = true;
  let exit: ExitStatus = { kind: 'status', code: 0 };
  let runs = 0;
  const watch = watchTunnel(
    { kind: 'command', command: 'test -e x', every: 60, timeout: 5 },
    {
      dial: () => Promise.reject(new Error('nobody dials')),
      exec: async (command) => {
        t.equal(command, 'test -e x');
        runs += 1;
        return exit;
      },
    },
    {
      clock,
      log: createLogger('info', (_, message) => said.push(message)),
      isUp: () => up,
      onResult: (result) => results.push(result),
    },
  );
  t.ok(
    clock.pending.every((timer) => !timer.hasRef()),
    'no process stays alive for it',
  );
  await clock.advance(59_999);
  t.equal(runs, 0);
  await clock.advance(1);
  await clock.advance(60_000);
  t.equal(runs, 2);
  exit = { kind: 'status', code: 1 };
  await clock.advance(120_000);
  t.equal(runs, 4);
  up = false;
  await clock.advance(600_000);
  t.equal(runs, 4);
  up = true;
  exit = { kind: 'status', code: 0 };
  await clock.advance(60_000);
  t.strictSame(
    results.map(({ ok }) => ok),
    [true, true, false, false, true],
  );
  t.match(said, [/^the probe \(command\) says: /, /works again/]);
  t.equal(said.length, 2);
  watch[Symbol.dispose]();
  await clock.advance(600_000);
  t.equal(runs, 5);
  t.equal(clock.pending.length, 0);
});
