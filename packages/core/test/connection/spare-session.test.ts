import { mock } from 'node:test';
import { SpareSession, ViasshError } from '@viassh/core';
import t from 'tap';

const refusal = new ViasshError('CHANNEL_REFUSED', 'no more');
const IDLE_MS = 1000;

const refuse = (): Promise<string> => Promise.reject(refusal);
const mustNotOpen = (): Promise<string> => Promise.reject(new Error('a new one was opened'));

/** A server whose answers to opens ahead are the test's. */
function fixture() {
  const opens: PromiseWithResolvers<string>[] = [];
  const discarded: string[] = [];
  const spare = new SpareSession<string>({
    open: () => {
      const answer = Promise.withResolvers<string>();
      opens.push(answer);
      return answer.promise;
    },
    discard: (channel) => void discarded.push(channel),
    idleMs: IDLE_MS,
  });
  return { spare, opens, discarded };
}

async function settled(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}

t.test('the first is opened after the first use, one at a time', async (t) => {
  const { spare, opens } = fixture();
  t.equal(await spare.acquire(async () => 'new'), 'new');
  t.equal(opens.length, 0);
  spare.used();
  spare.used();
  t.equal(opens.length, 1);
  spare.switchOff();
});

t.test('the spare is taken once, and another is opened after its use', async (t) => {
  const { spare, opens } = fixture();
  spare.used();
  opens[0]?.resolve('spare');
  await settled();
  t.equal(await spare.acquire(mustNotOpen), 'spare');
  t.equal(await spare.acquire(async () => 'new'), 'new');
  spare.used();
  t.equal(opens.length, 2);
  spare.switchOff();
});

t.test('one that is on its way is waited for', async (t) => {
  const { spare, opens } = fixture();
  spare.used();
  const acquired = spare.acquire(mustNotOpen);
  opens[0]?.resolve('spare');
  t.equal(await acquired, 'spare');
});

t.test('of two that wait for it, one gets a new one', async (t) => {
  const { spare, opens } = fixture();
  spare.used();
  const both = Promise.all([spare.acquire(async () => 'new'), spare.acquire(async () => 'new')]);
  opens[0]?.resolve('spare');
  t.strictSame((await both).toSorted(), ['new', 'spare']);
});

t.test('an abort does not wait for the one on its way, which stays for the next', async (t) => {
  const { spare, opens } = fixture();
  spare.used();
  const controller = new AbortController();
  const acquired = spare.acquire(mustNotOpen, controller.signal);
  controller.abort();
  await t.rejects(acquired, { code: 'ABORTED' });
  opens[0]?.resolve('spare');
  await settled();
  t.equal(await spare.acquire(mustNotOpen), 'spare');
});

t.test('refused once: none is opened ahead any more', async (t) => {
  const { spare, opens } = fixture();
  spare.used();
  opens[0]?.reject(refusal);
  await settled();
  spare.used();
  t.equal(await spare.peek(), undefined);
  t.equal(opens.length, 1);
});

t.test('a refused open of the caller switches it off as well', async (t) => {
  const { spare, opens } = fixture();
  await t.rejects(spare.acquire(refuse), { code: 'CHANNEL_REFUSED' });
  spare.used();
  t.equal(opens.length, 0);
});

t.test('a spare that comes late rescues a refused open', async (t) => {
  const { spare, opens } = fixture();
  const answer = Promise.withResolvers<string>();
  const acquired = spare.acquire(() => answer.promise);
  spare.used();
  answer.reject(refusal);
  await settled();
  opens[0]?.resolve('late');
  t.equal(await acquired, 'late');
});

t.test('another failure of an open is no refusal, and is told', async (t) => {
  const { spare, opens } = fixture();
  await t.rejects(
    spare.acquire(() => Promise.reject(new ViasshError('CONNECTION_LOST', 'gone'))),
    { code: 'CONNECTION_LOST' },
  );
  spare.used();
  t.equal(opens.length, 1);
  spare.switchOff();
});

t.test('a peek leaves it where it is', async (t) => {
  const { spare, opens } = fixture();
  const peeked = spare.peek();
  opens[0]?.resolve('spare');
  t.equal(await peeked, 'spare');
  t.equal(await spare.peek(), 'spare');
  t.equal(await spare.acquire(mustNotOpen), 'spare');
  t.equal(opens.length, 1);
});

t.test('one that the server closed is no spare any more; another channel’s end is nothing', async (t) => {
  const { spare, opens, discarded } = fixture();
  spare.used();
  opens[0]?.resolve('spare');
  await settled();
  spare.gone('another');
  t.equal(await spare.peek(), 'spare');
  spare.gone('spare');
  await t.rejects(spare.acquire(mustNotOpen), /a new one was opened/);
  t.strictSame(discarded, []);
});

t.test('switched off: what is there and what is on its way is discarded', async (t) => {
  const { spare, opens, discarded } = fixture();
  spare.used();
  opens[0]?.resolve('first');
  await settled();
  await spare.acquire(async () => 'new');
  spare.used();
  spare.switchOff();
  opens[1]?.resolve('second');
  await settled();
  t.strictSame(discarded, ['second']);
  const other = fixture();
  other.spare.used();
  other.opens[0]?.resolve('ready');
  await settled();
  other.spare.switchOff();
  t.strictSame(other.discarded, ['ready']);
});

t.test('nobody wanted it for its time: it is closed; a look at it begins the time anew', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  const { spare, opens, discarded } = fixture();
  spare.used();
  opens[0]?.resolve('spare');
  await settled();
  mock.timers.tick(IDLE_MS - 1);
  t.equal(await spare.peek(), 'spare');
  mock.timers.tick(IDLE_MS - 1);
  t.strictSame(discarded, []);
  mock.timers.tick(1);
  t.strictSame(discarded, ['spare']);
  spare.used();
  t.equal(opens.length, 2, 'the next use opens one again');
  spare.switchOff();
});

t.test('one that was taken is not closed when its time would have come', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  const { spare, opens, discarded } = fixture();
  spare.used();
  opens[0]?.resolve('spare');
  await settled();
  t.equal(await spare.acquire(mustNotOpen), 'spare');
  mock.timers.tick(2 * IDLE_MS);
  t.strictSame(discarded, []);
});
