import { ViasshError } from '@viassh/core';
import t from 'tap';
import { SessionSlots } from '../../src/channel/session-slots.ts';

/** Refuses so many times, then opens. */
function opener(refusals: number, code: 'CHANNEL_REFUSED' | 'ABORTED' = 'CHANNEL_REFUSED'): () => Promise<number> {
  let tries = 0;
  return async () => {
    tries += 1;
    if (tries <= refusals) throw new ViasshError(code, 'no');
    return tries;
  };
}

t.test('a refusal after a close is asked about again, once, behind an answer of the server', async (t) => {
  let roundTrips = 0;
  const slots = new SessionSlots(async () => (roundTrips += 1));
  await t.rejects(slots.open(opener(1)), { code: 'CHANNEL_REFUSED' }, 'nothing was closed: it is full');
  slots.sessionClosed();
  t.equal(await slots.open(opener(1)), 2);
  t.equal(roundTrips, 1);
  await t.rejects(slots.open(opener(1)), { code: 'CHANNEL_REFUSED' }, 'that close has been counted off');
  slots.sessionClosed();
  await t.rejects(slots.open(opener(2)), { code: 'CHANNEL_REFUSED' });
  t.equal(roundTrips, 2);
  slots.sessionClosed();
  await t.rejects(slots.open(opener(1, 'ABORTED')), { code: 'ABORTED' });
  t.equal(roundTrips, 2, 'other errors are not asked about');
});

t.test('several that are refused together are all asked about', async (t) => {
  const slots = new SessionSlots(async () => undefined);
  slots.sessionClosed();
  t.strictSame(await Promise.all([slots.open(opener(1)), slots.open(opener(1))]), [2, 2]);
});
