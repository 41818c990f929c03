import t from 'tap';
import { parseDestination, sshArguments } from '@viassh/core';

t.test('nothing typed, nothing passed', async (t) => {
  t.same(sshArguments({}, { user: undefined, port: undefined }), []);
});

t.test('a destination’s user and port become -l and -p', async (t) => {
  t.same(sshArguments({}, parseDestination('user@host:2222')), ['-l', 'user', '-p', '2222']);
});

t.test('typed user and port win over those of the destination', async (t) => {
  t.same(sshArguments({ user: 'typed', port: 1 }, parseDestination('user@host:2222')), ['-l', 'typed', '-p', '1']);
});

t.test('every value is a word of its own behind its letter', async (t) => {
  const typed = {
    configFile: '-x',
    addressFamily: 'inet6',
    compression: true,
    options: ['ProxyCommand=nc -X %h', '-oX=y'],
    identityFiles: ['-i', '/k 2'],
    user: '-u',
    port: 22,
    proxyJump: 'a,b',
  } as const;
  t.same(sshArguments(typed, {}), [
    '-F',
    '-x',
    '-6',
    '-C',
    '-o',
    'ProxyCommand=nc -X %h',
    '-o',
    '-oX=y',
    '-i',
    '-i',
    '-i',
    '/k 2',
    '-l',
    '-u',
    '-p',
    '22',
    '-J',
    'a,b',
  ]);
});

t.test('-4 is -4; compression off is left to the configuration', async (t) => {
  t.same(sshArguments({ addressFamily: 'inet', compression: false }, {}), ['-4']);
});
