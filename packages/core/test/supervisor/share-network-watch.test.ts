import { type NetworkChange, shareNetworkWatch } from '@viassh/core';
import t from 'tap';

t.test('one watch for all, from the first to the last, and again', async (t) => {
  let [begun, ended] = [0, 0];
  let tell: ((change: NetworkChange) => void) | undefined;
  const shared = shareNetworkWatch((changed) => {
    begun += 1;
    tell = changed;
    return { [Symbol.dispose]: () => (ended += 1) };
  });
  const told: string[] = [];
  const first = shared(() => told.push('first'));
  const second = shared(() => {
    told.push('second');
    first[Symbol.dispose]();
    first[Symbol.dispose]();
  });
  tell?.({ gone: ['a'], come: [] });
  tell?.({ gone: ['b'], come: [] });
  t.strictSame(told, ['first', 'second', 'second']);
  t.strictSame([begun, ended], [1, 0]);
  second[Symbol.dispose]();
  t.strictSame([begun, ended], [1, 1]);
  shared(() => told.push('third'))[Symbol.dispose]();
  t.strictSame([begun, ended], [2, 2]);
});
