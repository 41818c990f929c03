import t from 'tap';
import { announceNearEnd, formatNearEnd, type NearEnd, parseNearEnd } from '@viassh/core';

t.test('every form is read, and written back as it is read', async (t) => {
  const forms: readonly (readonly [string, NearEnd, string?])[] = [
    ['unix:mail.sock', { kind: 'unix', path: 'mail.sock' }],
    ['unix:/run/user/0/a b:c', { kind: 'unix', path: '/run/user/0/a b:c' }],
    ['tcp:2525', { kind: 'tcp', host: '127.0.0.1', port: 2525 }, 'tcp:127.0.0.1:2525'],
    ['tcp:0', { kind: 'tcp', host: '127.0.0.1', port: 0 }, 'tcp:127.0.0.1:0'],
    ['tcp:localhost:65535', { kind: 'tcp', host: 'localhost', port: 65_535 }],
    ['tcp:[::1]:25', { kind: 'tcp', host: '::1', port: 25 }],
    ['tcp:[fe80::1%eth0]:25', { kind: 'tcp', host: 'fe80::1%eth0', port: 25 }],
  ];
  for (const [text, nearEnd, written = text] of forms) {
    t.strictSame(parseNearEnd(text), nearEnd, text);
    t.equal(formatNearEnd(nearEnd), written);
    t.strictSame(parseNearEnd(written), nearEnd);
  }
});

t.test('what is no place to listen on is refused with the forms that are', async (t) => {
  for (const text of [
    '',
    'mail.sock',
    'unix:',
    'tcp:',
    'tcp:host',
    'tcp::25',
    'tcp:65536',
    'tcp:-1',
    'tcp: 25',
    'tcp:25 ',
    'tcp:::1:25',
    'tcp:[::1]25',
    'tcp:[host]:25',
    'TCP:25',
    'udp:25',
    'tcp:0x19',
  ]) {
    t.throws(() => parseNearEnd(text), { code: 'OPTION_INVALID', hint: /unix:PATH/ }, text);
  }
});

t.test('a path that the system would cut off is refused; bytes count', async (t) => {
  t.match(parseNearEnd(`unix:${'x'.repeat(107)}`), { path: 'x'.repeat(107) });
  for (const path of ['x'.repeat(108), 'é'.repeat(54)])
    t.throws(() => parseNearEnd(`unix:${path}`), { code: 'OPTION_INVALID', message: /107 bytes/, hint: /shorter/ });
  t.throws(() => parseNearEnd('unix:a\0b'), { code: 'OPTION_INVALID', message: /NUL/ });
});

t.test('where it listens is a line for people or an object', async (t) => {
  const nearEnd: NearEnd = { kind: 'tcp', host: '::1', port: 25 };
  t.equal(announceNearEnd(nearEnd, false), 'listening on tcp:[::1]:25\n');
  t.equal(announceNearEnd(nearEnd, true), '{"listening":"tcp:[::1]:25"}\n');
});
