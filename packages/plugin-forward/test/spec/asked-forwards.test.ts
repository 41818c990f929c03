import { isViasshError } from '@viassh/core';
import { forwardPlugin } from '@viassh/plugin-forward';
import t from 'tap';

t.test('options that do not go together are refused before anything is dialled', async (t) => {
  const local = ['0:web:80'];
  const mistakes: readonly (readonly [raw: Record<string, unknown>, words: readonly string[], message: RegExp])[] = [
    [{}, [], /nothing to forward/],
    [{ untilIdle: '5' }, [], /nothing to forward/],
    [{ stdio: 'web:80', local }, [], /-W goes with no other/],
    [{ stdio: 'web:80', untilIdle: '5' }, [], /-W ends with/],
    [{ stdio: 'web:80', for: true }, ['true'], /-W ends with/],
    [{ local, for: true }, [], /--for wants a program/],
    [{ local }, ['true'], /words behind --, and no --for/],
    [{ local, for: true, untilIdle: '5' }, ['true'], /two different ends/],
    [{ local, deny: ['*'] }, [], /for clients that choose/],
    [{ local, users: 'list' }, [], /clients that log in/],
    [{ dynamic: ['0'], allow: ['a b'] }, [], /./],
    [{ local, untilIdle: '0' }, [], /--until-idle wants a number/],
    [{ local: [...local, '8080:web'] }, [], /-L 8080:web:/],
  ];
  for (const [raw, words, message] of mistakes) {
    try {
      forwardPlugin.prepare(raw, words);
      t.fail(`not refused: ${JSON.stringify(raw)}`);
    } catch (error) {
      if (!isViasshError(error, 'OPTION_INVALID')) throw error;
      t.match(error.message, message);
      t.ok(error.hint !== undefined || /untilIdle|until-idle/.test(error.message), `a hint: ${error.message}`);
    }
  }
});

t.test('only what a call needs is asked of the transport, and what cannot be repeated is not run again', async (t) => {
  t.same(forwardPlugin.prepare({ local: ['0:web:80', '0:/run/far'] }, []).needs, [
    'direct-tcpip',
    'direct-streamlocal',
  ]);
  t.same(forwardPlugin.prepare({ remote: ['0:web:80', '0'] }, []).needs, ['forwarded-tcpip']);
  t.same(forwardPlugin.prepare({ remote: ['/run/far:/tmp/near'] }, []).needs, ['forwarded-streamlocal']);
  t.same(forwardPlugin.prepare({ dynamic: ['0'], http: ['0'] }, []).needs, ['direct-tcpip']);
  t.same(forwardPlugin.prepare({ stdio: '/run/far' }, []).needs, ['direct-streamlocal']);
  t.equal(forwardPlugin.prepare({ local: ['0:web:80'] }, []).lifetime, 'resident');
  t.equal(forwardPlugin.prepare({ stdio: 'web:80' }, []).lifetime, 'one-shot');
  t.equal(forwardPlugin.prepare({ local: ['0:web:80'], for: true }, ['true']).lifetime, 'one-shot');
});
