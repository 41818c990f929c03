import t from 'tap';
import { authorizedKeysLine, type ProgramOutput, ViasshError } from '@viassh/core';
import { rsyncProgram } from '../../src/programs/rsync.ts';

const account = rsyncProgram.accounts?.[0];
const shell = { path: '/opt/via ssh/viassh-ssh' };

const said = (stdout: string, code = 0): ProgramOutput => ({ exit: { kind: 'status', code }, stdout, stderr: '' });
const explain = async (code: number, answers: Record<string, ProgramOutput>, place = 'u@h:x'): Promise<unknown> =>
  await rsyncProgram.explain?.({
    code,
    args: ['-a', '.', place],
    ask: async (destination, command) => {
      const answer = answers[command];
      if (destination !== 'u@h' || answer === undefined) throw new ViasshError('AUTH_FAILED', 'no way there');
      return answer;
    },
  });

t.test('the remote shell is set by the environment, and by -e where rsync would dial a daemon itself', async (t) => {
  const env = { RSYNC_RSH: "'/opt/via ssh/viassh-ssh'" };
  t.strictSame(rsyncProgram.call(['-a', 'x', 'h:y'], shell, {}), { file: 'rsync', args: ['-a', 'x', 'h:y'], env });
  const daemon = rsyncProgram.call(['-e', 'ssh', 'h::m', 'y'], shell, {});
  t.strictSame(daemon, { file: 'rsync', args: ['-e', env.RSYNC_RSH, '-e', 'ssh', 'h::m', 'y'], env });
});

t.test('an account is one folder, checked by rrsync unless it is to be ours', async (t) => {
  const line = (raw: Readonly<Record<string, unknown>>): string =>
    authorizedKeysLine(account?.lines(raw, { viassh: '/usr/bin/viassh' }) ?? {}, 'ssh-ed25519 AAAA me');
  t.equal(
    line({}),
    'restrict,no-agent-forwarding,no-port-forwarding,no-pty,no-user-rc,no-X11-forwarding,command="/usr/bin/rrsync rsync" ssh-ed25519 AAAA me',
  );
  t.match(line({ readOnly: true, directory: '/srv/a b' }), `command="/usr/bin/rrsync -ro '/srv/a b'"`);
  t.match(
    line({ writeOnly: true, noDelete: true, checker: 'viassh' }),
    'command="/usr/bin/viassh rrsync -wo -no-del rsync"',
  );
  for (const raw of [
    { readOnly: true, writeOnly: true },
    { directory: '~/x' },
    { directory: '-ro' },
    { directory: 'a\nb' },
    { checker: 'none' },
  ])
    t.throws(() => line(raw), { code: 'OPTION_INVALID' }, JSON.stringify(raw));
  t.match(account?.lines({ directory: '.' }, { viassh: 'viassh' }).notes?.join(), /authorized_keys/);
});

t.test('a failure is explained by asking the far end', async (t) => {
  t.match(
    await explain(2, { true: said('Welcome\u001b[31m\nto h\n') }),
    /u@h prints 'Welcome\\u001b\[31m to h' .*\.bashrc/,
  );
  t.match(await explain(12, { true: said('x'.repeat(500)) }), /prints 'x{80}'/);
  t.match(await explain(12, { true: said(''), 'rsync --version': said('', 127) }), /not installed on u@h/);
  t.match(await explain(127, {}), /not installed on u@h.*--rsync-path/);
  t.equal(await explain(12, { true: said(''), 'rsync --version': said('rsync') }), undefined);
  t.equal(await explain(12, {}), undefined, 'nobody to ask');
  t.equal(await explain(255, {}), undefined, 'the remote shell has said why');
  t.equal(await explain(23, {}), undefined);
  t.equal(await explain(12, {}, 'local'), undefined);
});
