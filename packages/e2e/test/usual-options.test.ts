import { startSshd } from '@viassh/testing';
import { onBothTransports, onTransport } from './both-transports.ts';
import { reaching } from './run-program.ts';
import { viassh } from './run-viassh.ts';

onBothTransports('what the environment says counts for every command, behind what is typed', async (t, transport) => {
  await using sshd = await startSshd();
  const env = reaching(sshd, transport);
  const run = await viassh(['pipe', sshd.destination, '--', 'echo', 'there'], { env });
  t.strictSame({ code: run.code, stdout: run.stdout.toString() }, { code: 0, stdout: 'there\n' }, run.stderr);
  const named = await viassh(['resolve', '--json', sshd.destination], { env });
  t.match(JSON.parse(named.stdout.toString()), { transport, user: sshd.user });
  const typed = await viassh(['resolve', '--json', '-l', 'somebody', sshd.destination], { env });
  t.match(JSON.parse(typed.stdout.toString()), { user: 'somebody' });
});

onTransport('ssh2', 'an environment that cannot be read is told by its name, before anything is dialled', async (t) => {
  for (const [VIASSH_SSH_OPTIONS, code] of [
    ['-p 2222', 64],
    ['["-p","x"]', 64],
    ['["-L","1:host:2"]', 255],
  ] as const) {
    const run = await viassh(['pipe', 'nowhere.invalid', '--', 'true'], { env: { VIASSH_SSH_OPTIONS } });
    t.equal(run.code, code, VIASSH_SSH_OPTIONS);
    t.match(run.stderr, /VIASSH_SSH_OPTIONS[^]*\n {2}hint: /);
  }
});
