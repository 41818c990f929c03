import t from 'tap';
import { sanitize } from '@viassh/core';

t.test('nothing that a terminal obeys comes through', async (t) => {
  const all = Array.from({ length: 0x30_00 }, (_, code) => String.fromCodePoint(code)).join('');
  for (let start = 0; start < all.length; start += 256) {
    t.notMatch(sanitize(all.slice(start, start + 256)), /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u);
  }
});

t.test('control characters are shown, not dropped', async (t) => {
  t.equal(sanitize('a\u001b[2Jb'), 'a\\u001b[2Jb');
  t.equal(sanitize('a\u009b2Jb\u007f\0'), 'a\\u009b2Jb\\u007f\\u0000');
  t.equal(sanitize('user\u202egnp.exe'), 'user\\u202egnp.exe');
});

t.test('several lines become one', async (t) => {
  t.equal(sanitize('one\r\ntwo\n\n\tthree\u2028four\n'), 'one two three four');
});

t.test('letters of every language stay', async (t) => {
  t.equal(sanitize('Müller – 日本語 – עברית 🙂'), 'Müller – 日本語 – עברית 🙂');
});

t.test('a flood is cut', async (t) => {
  t.equal(sanitize('x'.repeat(1_000_000)), `${'x'.repeat(2000)}…`);
  t.equal(sanitize('x'.repeat(2000)), 'x'.repeat(2000));
});
