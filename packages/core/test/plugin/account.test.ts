import t from 'tap';
import { authorizedKeysLine, defineAccount } from '../../src/index.ts';

const key = 'ssh-ed25519 AAAA me';

const forced = (command: string): string =>
  /command=(.*) ssh-ed25519/.exec(authorizedKeysLine({ command }, key))?.[1] ?? '';

t.test('everything is forbidden twice, for old servers too, but what is permitted', async (t) => {
  t.equal(
    authorizedKeysLine({}, `${key}\n`),
    `restrict,no-agent-forwarding,no-port-forwarding,no-pty,no-user-rc,no-X11-forwarding ${key}`,
  );
  t.equal(
    authorizedKeysLine({ permits: ['pty'], options: ['permitopen="localhost:25"'], command: 'x' }, key),
    `restrict,no-agent-forwarding,no-port-forwarding,no-user-rc,no-X11-forwarding,pty,permitopen="localhost:25",command="x" ${key}`,
  );
});

t.test('quotes are escaped as sshd reads them, backslashes are themselves', async (t) => {
  t.equal(forced('echo "a" \'b\''), String.raw`"echo \"a\" 'b'"`);
  t.equal(forced(String.raw`printf "\n" \"`), String.raw`"printf \"\n\" \\""`);
});

t.test('a command that such a line cannot hold is refused', async (t) => {
  for (const command of ['a\nb', 'a\0', 'a\\'])
    t.throws(() => authorizedKeysLine({ command }, key), { code: 'OPTION_INVALID', hint: /script/ });
});

t.test('options are checked by the table', async (t) => {
  const account = defineAccount({
    program: 'p',
    summary: '',
    options: { folder: { type: 'string', valueName: 'FOLDER', summary: '' } },
    lines: ({ folder }, { viassh }) => ({ command: `${viassh} ${folder ?? '-'}` }),
  });
  t.equal(account.lines({ folder: 'f' }, { viassh: 'v' }).command, 'v f');
  t.equal(account.lines({}, { viassh: 'v' }).command, 'v -');
  t.throws(() => account.lines({ other: 'f' }, { viassh: 'v' }), { code: 'OPTION_INVALID' });
});
