import t from 'tap';
import { decodeWords } from '../../src/imap/encoded-word.ts';

t.test('encoded words become readable, all else stays', async (t) => {
  t.equal(decodeWords('=?utf-8?B?R3LDvMOfZSBhdXMgS8O2bG4g4oCTIGbDvHIgRGljaA==?='), 'Grüße aus Köln – für Dich');
  t.equal(decodeWords('=?utf-8?Q?J=C3=BCrgen_M=C3=BCller?= <j@x>'), 'Jürgen Müller <j@x>');
  t.equal(decodeWords('=?iso-8859-1?q?=E9t=E9?='), 'été');
  t.equal(
    decodeWords('=?utf-8?q?a?= =?utf-8?q?b?= c'),
    'ab c',
    'blanks between two of them are no blanks, RFC 2047 §6.2',
  );
  t.equal(decodeWords('=?x-unknown?q?a?='), '=?x-unknown?q?a?=');
  t.equal(decodeWords('=?utf-8?x?a?= x =?'), '=?utf-8?x?a?= x =?');
});
