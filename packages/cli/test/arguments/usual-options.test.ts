import t from 'tap';
import { type GlobalValues, readGlobals } from '../../src/arguments/global-options.ts';
import { withUsualOptions } from '../../src/arguments/usual-options.ts';

const usual = (...words: readonly string[]): NodeJS.ProcessEnv => ({ VIASSH_SSH_OPTIONS: JSON.stringify(words) });

async function read(argv: Readonly<Record<string, unknown>>, variables: NodeJS.ProcessEnv): Promise<GlobalValues> {
  return await withUsualOptions(readGlobals(argv), variables);
}

t.test('without the variables all is as it was typed', async (t) => {
  const typed = readGlobals({ port: '22', option: 'a=b' });
  t.strictSame(await withUsualOptions(typed, {}), typed);
  t.strictSame(await withUsualOptions(typed, { VIASSH_SSH_OPTIONS: '', VIASSH_TRANSPORT: '' }), typed);
});

t.test('of two values the typed one counts; keys and -o are added behind', async (t) => {
  const variables = usual('-p', '2222', '-lme', '-i', 'b', '-oUserKnownHostsFile=x', '-C4', '-F', 'file', '-J', 'gate');
  t.match((await read({}, variables)).typed, {
    port: 2222,
    user: 'me',
    identityFiles: ['b'],
    options: ['UserKnownHostsFile=x'],
    compression: true,
    addressFamily: 'inet',
    configFile: 'file',
    proxyJump: 'gate',
  });
  const own = { port: '22', login: 'you', identity: 'a', option: 'LogLevel=QUIET', 'config-file': 'mine', jump: 'j' };
  t.match((await read({ ...own, inet6: true }, variables)).typed, {
    port: 22,
    user: 'you',
    identityFiles: ['a', 'b'],
    options: ['LogLevel=QUIET', 'UserKnownHostsFile=x'],
    compression: true,
    addressFamily: 'inet6',
    configFile: 'mine',
    proxyJump: 'j',
  });
});

t.test('letters that stand for a setting are that setting; -A and -a are known', async (t) => {
  t.match((await read({}, usual('-c', 'aes128-ctr', '-b127.0.0.1', '-A'))).typed, {
    options: ['BindAddress=127.0.0.1', 'Ciphers=aes128-ctr'],
    forwardAgent: true,
  });
  t.equal((await read({ 'forward-agent': false }, usual('-A'))).typed.forwardAgent, false);
});

t.test('the transport of the environment counts where none is typed', async (t) => {
  t.equal((await read({}, { VIASSH_TRANSPORT: 'ssh2' })).transport, 'ssh2');
  t.equal((await read({ transport: 'openssh' }, { VIASSH_TRANSPORT: 'ssh2' })).transport, 'openssh');
  await t.rejects(read({}, { VIASSH_TRANSPORT: 'pigeon' }), {
    code: 'OPTION_INVALID',
    message: "VIASSH_TRANSPORT cannot be 'pigeon'", // any command reads it, not the remote shell alone
    hint: /openssh/,
  });
});

t.test('-S is a control socket, where no other way is named', async (t) => {
  for (const words of [['-S', '/my/socket'], ['-S/my/socket']])
    t.match(await read({}, usual(...words)), { control: '/my/socket', transport: 'control' });
  t.match(await read({ control: '/typed' }, usual('-S', '/my/socket')), { control: '/typed', transport: 'control' });
  for (const [argv, variables] of [
    [{ transport: 'ssh2' }, usual('-S', '/my/socket')],
    [{}, { ...usual('-S', '/my/socket'), VIASSH_TRANSPORT: 'ssh2' }],
  ] as const) {
    const { control, transport } = await read(argv, variables);
    t.strictSame({ control, transport }, { control: undefined, transport: 'ssh2' });
  }
  t.match(await read({}, usual('-S', 'none')), { transport: 'auto' });
});

t.test(
  'what is no option of ssh, or none for a connection of ours, is refused by the name of the variable',
  async (t) => {
    for (const variables of [
      { VIASSH_SSH_OPTIONS: 'not JSON' },
      { VIASSH_SSH_OPTIONS: '{"a":1}' },
      usual('--transport=ssh2'),
      usual('a.host'),
      usual('-p'),
      usual('-p', 'x'),
      usual('-L', '1:host:2'),
    ]) {
      await t.rejects(
        read({}, variables),
        { message: /VIASSH_SSH_OPTIONS/, hint: /environment/ },
        variables.VIASSH_SSH_OPTIONS ?? '',
      );
    }
  },
);
