import t from 'tap';
import { readGlobals } from '../../src/arguments/global-options.ts';
import { remoteShellVariables } from '../../src/programs/remote-shell-environment.ts';

function options(globals: Readonly<Record<string, unknown>>, usual: readonly string[]): unknown {
  const variables = remoteShellVariables(readGlobals(globals), { VIASSH_SSH_OPTIONS: JSON.stringify(usual) });
  return JSON.parse(variables.VIASSH_SSH_OPTIONS);
}

t.test('every global option that ssh has is there in ssh’s letters', async (t) => {
  const globals = readGlobals({
    'config-file': 'f',
    option: ['A=1', 'B=2'],
    identity: ['k'],
    login: 'u',
    port: '22',
    jump: 'j',
    inet: true,
    compress: true,
    'forward-agent': false,
    verbose: 2,
    'no-stdin': true,
    control: 'socket',
    proxy: 'socks5://p',
  });
  const { VIASSH_SSH_OPTIONS: json, ...others } = remoteShellVariables(globals, {});
  t.equal(
    (JSON.parse(json) as string[]).join(' '),
    '-F f -4 -C -a -o A=1 -o B=2 -i k -l u -p 22 -J j -S socket -vv -n',
  );
  t.strictSame(others, { VIASSH_TRANSPORT: 'openssh', VIASSH_PROXY: 'socks5://p' });
});

t.test('auto and no proxy leave alone what the environment says', async (t) => {
  t.strictSame(remoteShellVariables(readGlobals({}), { VIASSH_TRANSPORT: 'ssh2' }), { VIASSH_SSH_OPTIONS: '[]' });
});

t.test('what was typed stands before what was there, as ssh takes the first', async (t) => {
  t.strictSame(options({ port: '1' }, ['-p', '2', '-o', 'A=1']), ['-p', '1', '-p', '2', '-o', 'A=1']);
});

t.test('of -F ssh takes the last, and of -J but one: the typed one alone stays', async (t) => {
  const usual = ['-qF', 'b', '-oX=F', '-Fc', '-J', 'h', '-o', '-Fd', '-vJh'];
  t.strictSame(options({ 'config-file': 'a' }, usual), ['-F', 'a', '-q', '-oX=F', '-J', 'h', '-o', '-Fd', '-vJh']);
  t.strictSame(options({ jump: 'a' }, usual), ['-J', 'a', '-qF', 'b', '-oX=F', '-Fc', '-o', '-Fd', '-v']);
  t.strictSame(options({}, usual), usual);
});

t.test('a variable that is no array of strings is refused', async (t) => {
  for (const text of ['-p 22', '{}', '[1]', '"-p"'])
    t.throws(() => remoteShellVariables(readGlobals({}), { VIASSH_SSH_OPTIONS: text }), { code: 'USAGE' }, text);
});
