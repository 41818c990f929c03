import { isViasshError } from '@viassh/core';
import t from 'tap';
import { readRemoteShellCall, type RemoteShellSituation } from '../../src/personality/index.ts';

function codeOf(argv: readonly string[], situation: RemoteShellSituation = {}): string | undefined {
  try {
    readRemoteShellCall(argv, situation);
    return undefined;
  } catch (error) {
    if (!isViasshError(error)) throw error;
    return error.code;
  }
}

const given = (argv: string[], situation?: RemoteShellSituation): readonly string[] =>
  readRemoteShellCall(argv, situation).sshArguments;
const mode = (...argv: string[]): string => readRemoteShellCall(argv).mode;

const evil = ['-oProxyCommand=touch x', ';touch x', '$(touch x)', '`touch x`', 'a\ntouch x', 'a b', "a'b", '-x', ''];

t.test('a hostile host or user is refused in every form', async (t) => {
  for (const name of evil) {
    const forms = [
      ['--', name],
      ['--', `user@${name}`],
      ['--', `ssh://${name}`],
      ['-J', name, 'host'],
      ['-J', `good,${name}`, 'host'],
      ['-o', `ProxyJump=${name}`, 'host'],
      ['-o', `HostName=${name}`, 'host'],
      ['-o', `HostKeyAlias=${name}`, 'host'],
      ['-o', `CanonicalDomains=${name === 'a b' ? "a'b" : name}`, 'host'],
    ];
    for (const form of forms)
      t.match(codeOf(form) ?? 'nothing', /^(DESTINATION|OPTION)_INVALID$/, JSON.stringify(form));
  }
  for (const name of ['-oProxyCommand=touch x', ';touch x', '$(touch x)', '`touch x`', 'a\nb', "a'b", '']) {
    for (const form of [
      ['--', `${name}@host`],
      ['-l', name, 'host'],
      ['-o', `User=${name}`, 'host'],
      ['-J', `${name}@h`, 'host'],
    ])
      t.match(codeOf(form) ?? 'nothing', /^(DESTINATION|OPTION)_INVALID$/, JSON.stringify(form));
  }
});

t.test('what goes to ssh: options, --, host, command', async (t) => {
  t.strictSame(given(['-qp22', 'me@host', '-v', 'ls', '-l', 'a  b']), [
    '-q',
    '-p',
    '22',
    '-l',
    'me',
    '-v',
    '--',
    'host',
    'ls',
    '-l',
    'a  b',
  ]);
  t.strictSame(given(['ssh://me@host:2222/', '--', '-oProxyCommand=x']), [
    '-l',
    'me',
    '-p',
    '2222',
    '--',
    'host',
    '-oProxyCommand=x',
  ]);
  t.strictSame(given(['-l', 'a', 'b@host']), ['-l', 'a', '--', 'host'], '-l comes before the user of the destination');
  t.strictSame(given(['-o', 'user a', 'b@host']), ['-o', 'User=a', '--', 'host'], 'and so does -o User');
  t.strictSame(given(['b@host', '-l', 'a']), ['-l', 'b', '-l', 'a', '--', 'host'], 'behind it they come too late');
  t.strictSame(given(['ssh://b@host:1', '-p2', '-oUser=a']), [
    '-l',
    'b',
    '-p',
    '1',
    '-p',
    '2',
    '-o',
    'User=a',
    '--',
    'host',
  ]);
  t.strictSame(given(['-P', '-oProxyCommand=x', 'host']), ['-o', 'Tag=-oProxyCommand=x', '--', 'host']);
  t.strictSame(given(['host', 'ls'], { usual: ['-F', '/f', '-o', 'ProxyCommand=nc %h %p'] }), [
    '-F',
    '/f',
    '-o',
    'ProxyCommand=nc %h %p',
    '--',
    'host',
    'ls',
  ]);
});

t.test('the command is its words, joined by one blank and otherwise as they are', async (t) => {
  const words = [`a  'b'`, '', '"c"', '$(d)', 'grüße\n'];
  t.equal(readRemoteShellCall(['host', ...words]).command, words.join(' '));
});

t.test('the mode', async (t) => {
  t.equal(mode('host'), 'shell');
  t.equal(mode('host', ''), 'shell', 'ssh asks for a shell then');
  t.equal(mode('host', 'ls'), 'exec');
  t.equal(mode('-s', 'host', 'sftp'), 'subsystem');
  t.equal(mode('host', '-s', 'sftp'), 'subsystem');
  t.equal(mode('-N', 'host'), 'no-command');
  t.equal(mode('-W', 'a:1', 'host'), 'stdio-forward');
  t.equal(mode('-G', 'host'), 'configuration');
  t.equal(mode('-O', 'exit', 'host'), 'control');
  t.equal(mode('-V'), 'version');
  t.equal(mode('-Q', 'cipher'), 'query');
});

t.test('libraries, usage, and options that are no options', async (t) => {
  t.equal(codeOf(['-I', '/x.so', 'host']), 'OPTION_REFUSED');
  t.equal(codeOf(['-I', '/x.so', 'host'], { mayRunLocalPrograms: true }), undefined);
  t.equal(codeOf(['-I', '/x.so', 'host'], { mayRunLocalPrograms: false, usual: ['-q'] }), 'OPTION_REFUSED');
  for (const identity of ['pkcs11:?module-path=/x.so', '"pkcs11:id=%01"', 'pk"cs11:"', 'PKCS11:']) {
    for (const form of [
      ['-i', identity, 'host'],
      ['-o', `IdentityFile=${identity}`, 'host'],
    ]) {
      t.equal(codeOf(form), 'OPTION_REFUSED', JSON.stringify(form));
      t.equal(codeOf(form, { mayRunLocalPrograms: true }), undefined);
    }
  }
  t.equal(codeOf(['-i', './pkcs11:x', 'host']), undefined, 'a file of such a name');
  t.equal(codeOf([]), 'USAGE');
  t.equal(codeOf(['-q']), 'USAGE');
  t.equal(codeOf(['host'], { usual: ['other'] }), 'USAGE');
  t.equal(codeOf(['-E', 'a\nb', 'host']), 'OPTION_INVALID');
  t.equal(
    codeOf(['-l', '-oX', 'host'], { mayRunLocalPrograms: true }),
    'DESTINATION_INVALID',
    'names are never exempt',
  );
});
