import { type ErrorCode, ViasshError } from '@viassh/core';
import t from 'tap';
import { pppdFailure } from '../../src/far-ends/pppd-exit.ts';

const ended = (code: number) => ({ kind: 'status', code }) as const;

t.test('what we know of a failure is not hidden behind a pppd that says we have hung up', async (t) => {
  const ours = new ViasshError('PPP_FAILED', 'the far end wants us to be 10.99.0.2', { hint: 'name both addresses' });
  for (const code of [5, 16]) {
    t.match(pppdFailure(ended(code), '', ours), { code: 'PPP_FAILED', message: ours.message, hint: ours.hint });
  }
  const none = new ViasshError('PPP_AUTH_FAILED', 'the far end wants a name and a secret', { hint: 'give them' });
  const failure = pppdFailure(ended(11), '', none);
  t.match(failure, { code: 'PPP_AUTH_FAILED', hint: 'give them' });
  t.match(failure?.message, /^the far end wants a name and a secret; pppd .*\(status 11\)$/);
});

t.test("where we only saw the end, it is pppd's own word", async (t) => {
  const silent = new ViasshError('PPP_SILENT', 'the stream to the far end ended', { hint: 'look there' });
  const gaveUp = new ViasshError('PPP_FAILED', 'the far end ended the link before it was up');
  for (const [code, cause, expected, words] of [
    [2, silent, 'FAR_LINK_MISSING', /does not take its options \(status 2\): pppd: no$/],
    [10, gaveUp, 'PPP_FAILED', /no network protocol \(status 10\)/],
    [16, silent, 'PPP_FAILED', /hung up \(status 16\)/],
    [21, gaveUp, 'PPP_AUTH_FAILED', /callers from here/],
    [127, gaveUp, 'FAR_LINK_MISSING', /has no pppd/],
  ] as const satisfies readonly (readonly [number, ViasshError, ErrorCode, RegExp])[]) {
    t.match(pppdFailure(ended(code), 'pppd: no', cause), { code: expected, message: words }, `${code}`);
  }
  t.equal(pppdFailure({ kind: 'missing' }, '', gaveUp), gaveUp);
});

t.test('a signal, and a status that pppd(8) does not know, are said', async (t) => {
  const silent = new ViasshError('PPP_SILENT', 'the stream to the far end ended');
  const killed = { kind: 'signal', signal: 'KILL', coreDumped: false, message: '' } as const;
  for (const [exit, end] of [
    [killed, 'signal KILL'],
    [ended(99), 'status 99'],
    [ended(0), 'status 0'],
  ] as const) {
    const failure = pppdFailure(exit, 'so it is', silent);
    t.match(failure, { code: 'PPP_SILENT', cause: { exit } });
    t.equal(failure.message, `the stream to the far end ended; pppd of the far end ended with ${end}: so it is`);
  }
});
