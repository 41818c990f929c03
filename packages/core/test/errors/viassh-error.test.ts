import t from 'tap';
import { isViasshError, ViasshError } from '@viassh/core';

t.test('an error is recognised by code and shows no control characters', async (t) => {
  const error = new ViasshError('USAGE', 'bad \u001b[31mred\u001b[0m\nline');
  t.ok(isViasshError(error, 'USAGE'));
  t.notOk(isViasshError(error, 'INTERNAL'));
  t.equal(error.message, 'bad \\u001b[31mred\\u001b[0m line');
  t.equal(error.name, 'ViasshError');
});
