import t from 'tap';
import { nobodyToAsk } from '@viassh/core';

t.test('nobody answers no question', async (t) => {
  for (const kind of ['password', 'passphrase', 'keyboard-interactive'] as const) {
    t.equal(await nobodyToAsk.ask({ kind, text: 'secret?', echo: false }), undefined);
  }
});
