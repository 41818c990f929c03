import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startSshd } from '@viassh/testing';
import { onBothTransports } from './both-transports.ts';
import { at, viassh } from './run-viassh.ts';

onBothTransports('settings for interactive logins do not get into the pipe', async (t, transport) => {
  const trace = `/tmp/viassh-test-${process.pid}-local-command-${transport}`;
  await using sshd = await startSshd({
    mode: 'listen',
    clientConfig: [
      'ControlMaster auto',
      'ControlPath ~/.viassh-test-%C',
      'ControlPersist 60',
      'LocalForward 127.0.0.1:1 127.0.0.1:1', // a port that cannot be had but by root, and nobody answers there
      'RemoteForward /nonexistent/socket 127.0.0.1:1',
      'DynamicForward 127.0.0.1:2',
      'ExitOnForwardFailure yes',
      'RemoteCommand echo not this',
      'RequestTTY force',
      'PermitLocalCommand yes',
      `LocalCommand touch ${trace}`,
      'ForwardX11 yes',
      'LogLevel QUIET',
      'EscapeChar none',
      'VisualHostKey yes',
    ],
  });
  const { code, stdout, stderr } = await viassh(['pipe', ...at(sshd, transport), '--', 'test -t 0 || cat; exit 3'], {
    input: 'all of it\r\n~.\n',
  });
  t.strictSame({ code, stdout: stdout.toString(), stderr }, { code: 3, stdout: 'all of it\r\n~.\n', stderr: '' });
  t.notOk(existsSync(trace), 'LocalCommand did not run');
  const home = await readdir(process.env['HOME'] ?? '/').catch(() => []);
  t.strictSame(
    home.filter((name) => name.startsWith('.viassh-test-')),
    [],
    'no master of its own stays',
  );
});

onBothTransports('SetEnv and SendEnv reach the remote command, other variables do not', async (t, transport) => {
  await using sshd = await startSshd({
    config: ['AcceptEnv VIASSH_*'],
    clientConfig: ['SetEnv VIASSH_SET="two words"', 'SendEnv VIASSH_SENT*'],
  });
  const command = 'printf "%s|%s|%s" "$VIASSH_SET" "$VIASSH_SENT_ÜP" "$VIASSH_KEPT"'.replace('_ÜP', '_UP');
  const { code, stdout, stderr } = await viassh(['pipe', ...at(sshd, transport), '--', command], {
    env: { VIASSH_SENT_UP: 'ümläut "quoted" \\', VIASSH_KEPT: 'secret' },
  });
  t.strictSame({ code, stderr }, { code: 0, stderr: '' });
  t.equal(stdout.toString(), 'two words|ümläut "quoted" \\|');
});

onBothTransports('the exit code stays when the server refuses the environment', async (t, transport) => {
  await using sshd = await startSshd({ clientConfig: ['SetEnv VIASSH_SET=x'] });
  const { code, stdout } = await viassh(['pipe', ...at(sshd, transport), '--', 'echo "[$VIASSH_SET]"; exit 9']);
  t.strictSame({ code, stdout: stdout.toString() }, { code: 9, stdout: '[]\n' });
});

onBothTransports('a runtime folder with a long name or a blank works as well', async (t, transport) => {
  await using sshd = await startSshd();
  for (const name of ['with a blank', 'l'.repeat(100)]) {
    const env = { VIASSH_RUNTIME_DIR: join(sshd.folder, name), TMPDIR: sshd.folder }; // where it falls back to
    const { code, stderr } = await viassh(['pipe', ...at(sshd, transport), '--', 'exit 3'], { env });
    t.strictSame({ code, stderr }, { code: 3, stderr: '' }, name);
  }
});
