import t from 'tap';
import { checkTypedOptions } from '../../src/library/check-typed-options.ts';

t.test('a user or a jump host that ssh could take for an option is refused', async (t) => {
  for (const user of ['-oProxyCommand=x', '', 'a;b', 'a\0']) {
    t.throws(() => checkTypedOptions({ user }), { code: 'DESTINATION_INVALID' }, user);
  }
  for (const proxyJump of ['-oProxyCommand=x', 'good,-bad', 'a,,b', '', 'u@-h', 'h:99999']) {
    t.throws(() => checkTypedOptions({ proxyJump }), { code: 'DESTINATION_INVALID' }, proxyJump);
  }
});

t.test('NUL is refused wherever it would reach argv', async (t) => {
  for (const typed of [{ configFile: 'a\0b' }, { options: ['A=b', 'C=d\0'] }, { identityFiles: ['\0'] }]) {
    t.throws(() => checkTypedOptions(typed), { code: 'OPTION_INVALID', message: /NUL/ });
  }
});

t.test('what ssh takes is taken', async (t) => {
  checkTypedOptions({
    user: 'a.b-c@realm',
    proxyJump: 'u@gate:2222,[::1]:22,ssh://x',
    options: ['A=b'],
    configFile: 'none',
  });
  checkTypedOptions({ proxyJump: 'none' });
  t.pass('no error');
});
