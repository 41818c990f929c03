import { createFakeClock } from '@viassh/testing';
import t from 'tap';

t.test('timers fire at their moment, in order, with what they set off', async (t) => {
  const clock = createFakeClock();
  const seen: string[] = [];
  const note = (name: string) => (): void => void seen.push(`${name} ${clock.now()}`);
  clock.setTimeout(note('b'), 20);
  clock.setTimeout(note('b2'), 20);
  clock.setTimeout(() => {
    note('a')();
    void Promise.resolve().then(() => clock.setTimeout(note('from a'), 5));
  }, 10);
  await clock.advance(19);
  t.strictSame(seen, ['a 10', 'from a 15']);
  t.equal(clock.now(), 19);
  t.equal(clock.pending.length, 2);
  await clock.advance(1);
  t.strictSame(seen.slice(2), ['b 20', 'b2 20']);
});

t.test('a cleared timer does not fire; a timer can be let go of', async (t) => {
  const clock = createFakeClock();
  const timer = clock.setTimeout(() => t.fail('cleared'), 10);
  t.equal(timer.hasRef(), true);
  t.equal(timer.unref().hasRef(), false);
  clock.clearTimeout(timer);
  clock.clearTimeout(undefined);
  await clock.advance(100);
  t.strictSame(clock.pending, []);
});

t.test('after a leap timers come late, each once', async (t) => {
  const clock = createFakeClock();
  const seen: number[] = [];
  const tick = (): void => {
    seen.push(clock.now());
    clock.setTimeout(tick, 10);
  };
  clock.setTimeout(tick, 10);
  await clock.leap(1000);
  t.strictSame(seen, [1000]);
  await clock.advance(10);
  t.strictSame(seen, [1000, 1010]);
});
