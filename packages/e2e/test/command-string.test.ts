import { startSshd } from '@viassh/testing';
import { onBothTransports } from './both-transports.ts';
import { at, viassh } from './run-viassh.ts';

const adversarial = [
  `single ' and double " quotes, $(id) \`id\` $HOME \${PATH} \\$x \\\\ *.? ~root {a,b} !! #%h & ; | < > ( ) \\`,
  'ümläut 漢字 🚀 \u0301 \u001b[31m and trailing blanks  ',
  '  two\nlines\n\tand a line end\n',
  '-oProxyCommand=x',
  'x'.repeat(20_000),
];

onBothTransports('the command string arrives unaltered', async (t, transport) => {
  await using sshd = await startSshd({
    authorizedKeysOptions: String.raw`command="printf %s \"$SSH_ORIGINAL_COMMAND\""`,
  });
  await Promise.all(
    adversarial.map(async (command) => {
      const { stdout, stderr, code } = await viassh(['pipe', ...at(sshd, transport), '--', command]);
      t.strictSame({ stdout: stdout.toString(), stderr, code }, { stdout: command, stderr: '', code: 0 });
    }),
  );
});

onBothTransports('several words are joined by one blank each, as ssh joins them', async (t, transport) => {
  await using sshd = await startSshd({
    authorizedKeysOptions: String.raw`command="printf %s \"$SSH_ORIGINAL_COMMAND\""`,
  });
  const { stdout } = await viassh(['pipe', ...at(sshd, transport), '--', 'a b', '', "c'd", '--', '-v', '--json']);
  t.equal(stdout.toString(), "a b  c'd -- -v --json");
});
