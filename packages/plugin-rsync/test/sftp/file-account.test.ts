import t from 'tap';
import { gitProgram, sftpProgram } from '../../src/index.ts';

const [sftp] = sftpProgram.accounts ?? [];
const [git] = gitProgram.accounts ?? [];
const situation = { viassh: 'viassh' };

t.test('sftp: folders that sshd would read as something else are refused', async (t) => {
  for (const directory of ['/a b', '/a"b', "/a'b", '/a\\', '/a\nb', '/a\tb'])
    t.throws(() => sftp?.lines({ directory }, situation), { code: 'OPTION_INVALID' }, directory);
  t.equal(sftp?.lines({ directory: '/srv/%u', readOnly: true }, situation).command, 'internal-sftp -d /srv/%u -R');
});

t.test('sftp: a chroot is for one account, by an absolute path', async (t) => {
  for (const raw of [
    { chroot: '/srv' },
    { user: 'joe' },
    { chroot: 'srv', user: 'joe' },
    { chroot: '/s rv', user: 'joe' },
    { chroot: '/srv', user: '*' },
    { chroot: '/srv', user: 'joe,ann' },
    { chroot: '/srv', user: 'joe\nPermitRootLogin yes' },
  ])
    t.throws(() => sftp?.lines(raw, situation), { code: 'OPTION_INVALID' }, JSON.stringify(raw));
});

const notes = (raw: Readonly<Record<string, unknown>>): string => sftp?.lines(raw, situation).notes?.join('\n') ?? '';

t.test('who may write is told what that means', async (t) => {
  t.match(notes({}), /authorized_keys/);
  t.notMatch(notes({ readOnly: true }), /authorized_keys/);
  t.notMatch(notes({ chroot: '/srv', user: 'joe' }), /authorized_keys/);
});

t.test('git: a login shell of git-shell cannot make a key read-only', async (t) => {
  t.throws(() => git?.lines({ readOnly: true, loginShell: true }, situation), { code: 'OPTION_INVALID', hint: /./ });
});
