import t from 'tap';
import { authorizedKeysLine } from '@viassh/core';
import { cvsAccount } from '../../src/programs/cvs-account.ts';
import { cvsRecipe } from '../../src/programs/cvs-recipe.ts';
import { uucpAccount } from '../../src/programs/uucp-account.ts';
import { uucpProgram } from '../../src/programs/uucp.ts';
import { uucpRecipe } from '../../src/programs/uucp-recipe.ts';

const shell = { path: '/bin/viassh-ssh' };
const situation = { viassh: 'viassh', remoteShell: 'viassh-ssh' };
const forced = (account: typeof uucpAccount, options = {}): string =>
  authorizedKeysLine(account.lines(options, situation), 'KEY').replace(/^restrict,(no-[^,]*,)+/, '');

void t.test('a node of its own is queued to and called, the system node is left alone', async (t) => {
  const call = uucpProgram.call(['a b', 'far!~/'], shell, { UUCP_CONFIG: '/n' });
  t.equal(call.file, 'sh');
  t.strictSame(call.args.slice(2), ['/n/config', 'a b', 'far!~/']);
  for (const variables of [{}, { UUCP_CONFIG: '' }, { UUCP_CONFIG: '/etc/uucp', VIASSH_SSH_OPTIONS: '[]' }])
    t.strictSame(uucpProgram.call(['-r', 'x', 'far!'], shell, variables), { file: 'uucp', args: ['-r', 'x', 'far!'] });
  for (const variables of [{ UUCP_CONFIG: 'node' }, { VIASSH_SSH_OPTIONS: '["-4"]' }])
    t.throws(() => uucpProgram.call([], shell, variables), { code: 'OPTION_INVALID' });
});

void t.test('the forced commands, and names that cannot be in one', async (t) => {
  t.equal(forced(uucpAccount), 'command="/usr/sbin/uucico -l" KEY');
  t.equal(forced(uucpAccount, { login: 'Unear' }), 'command="/usr/sbin/uucico -u Unear" KEY');
  t.equal(
    forced(uucpAccount, { login: 'Unear', config: '/a b/config' }),
    `command="/usr/sbin/uucico -I '/a b/config' -u Unear" KEY`,
  );
  t.equal(forced(cvsAccount), 'command="/usr/bin/cvs server" KEY');
  t.equal(forced(cvsAccount, { directory: '/a"b' }), `command="/usr/bin/cvs '--allow-root=/a\\"b' server" KEY`);
  for (const login of ['-l', 'a b', ';touch x', 'a\nb', '$(x)'])
    t.throws(() => forced(uucpAccount, { login }), { code: 'OPTION_INVALID' }, login);
  for (const path of ['relative', '-x', '/a\nb', '/a\\', '/']) {
    t.throws(() => forced(uucpAccount, { config: path }), { code: 'OPTION_INVALID' }, path);
    t.throws(() => forced(cvsAccount, { directory: path }), { code: 'OPTION_INVALID' }, path);
  }
});

void t.test('a recipe takes a destination apart, and refuses what the configuration has no quotes for', async (t) => {
  const uucp = (destination: string): string => uucpRecipe.script({ destination, ...situation });
  t.match(uucp('u@h:2222'), ' -T -o BatchMode=yes -p 2222 -l u -- h\n');
  t.match(uucp("'u@[::1]:22'"), ' -p 22 -l u -- ::1\n');
  t.match(cvsRecipe.script({ destination: 'u@h', ...situation }), 'CVSROOT=":ext:u@h:${CVS_DIRECTORY:-/srv/cvs}"\n');
  t.match(cvsRecipe.script({ destination: 'h:22', ...situation }), 'CVSROOT=":extssh;CVS_RSH=$CVS_RSH:h:22${');
  t.throws(() => cvsRecipe.script({ destination: "'::1'", ...situation }), { code: 'DESTINATION_INVALID' });
  for (const destination of ["'-oProxyCommand=touch x'", "';touch x'", "'a b@h'", "'a#b@h'", "'a\\b@h'", "'é@h'"])
    for (const recipe of [uucpRecipe, cvsRecipe])
      t.throws(() => recipe.script({ destination, ...situation }), { code: 'DESTINATION_INVALID' }, destination);
});
