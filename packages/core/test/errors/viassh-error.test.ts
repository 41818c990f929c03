import t from 'tap';
import { abortedError, errorEntry, isViasshError, toViasshError, ViasshError } from '@viassh/core';

t.test('an error is recognised by code and shows no control characters', async (t) => {
  const error = new ViasshError('USAGE', 'bad \u001b[31mred\u001b[0m\nline', { hint: 'try\nthis\u0007' });
  t.ok(isViasshError(error, 'USAGE'));
  t.notOk(isViasshError(error, 'INTERNAL'));
  t.equal(error.message, 'bad \\u001b[31mred\\u001b[0m line');
  t.equal(error.hint, 'try this\\u0007');
  t.equal(error.name, 'ViasshError');
});

t.test('the cause stays raw, and is absent when there is none', async (t) => {
  const error = new ViasshError('USAGE', 'x', { cause: 'raw\u001b' });
  t.equal(error.cause, 'raw\u001b');
  t.equal('cause' in new ViasshError('USAGE', 'x'), false);
});

t.test('the table’s row comes with the error', async (t) => {
  t.equal(new ViasshError('USAGE', 'x').entry, errorEntry('USAGE'));
  t.equal(new ViasshError('USAGE', 'x').entry.exitCode, 64);
});

t.test('errors of another copy of this package are recognised', async (t) => {
  const foreign = Object.assign(new Error('x'), { code: 'USAGE', viasshError: true });
  t.ok(isViasshError(foreign, 'USAGE'));
});

t.test('what is no error of ours is not taken for one', async (t) => {
  for (const value of [
    undefined,
    null,
    'USAGE',
    7,
    {},
    new Error('x'),
    Object.assign(new Error('x'), { code: 'USAGE' }),
  ]) {
    t.equal(isViasshError(value), false);
  }
});

t.test('foreign errors are wrapped once, with the original as cause', async (t) => {
  const own = new ViasshError('CONNECTION_LOST', 'x');
  t.equal(toViasshError(own, 'INTERNAL'), own);
  const foreign = new Error('ECONNRESET');
  t.match(toViasshError(foreign, 'CONNECTION_LOST'), {
    code: 'CONNECTION_LOST',
    message: 'ECONNRESET',
    cause: foreign,
  });
  t.match(toViasshError('words'), { code: 'INTERNAL', message: 'words' });
  for (const code of ['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE']) {
    const busy = toViasshError(Object.assign(new Error('spawn'), { code }));
    t.match(busy, { code: 'MACHINE_BUSY', message: code, entry: { kind: 'transient' } });
  }
});

t.test('an abort is ABORTED, or the reason when that is one of ours', async (t) => {
  t.match(toViasshError(AbortSignal.abort().reason), { code: 'ABORTED' });
  t.match(abortedError('because'), { code: 'ABORTED', cause: 'because' });
  const reason = new ViasshError('CONNECT_TIMEOUT', 'x');
  t.equal(abortedError(reason), reason);
});
