import { startSshd } from '@viassh/testing';
import { onBothTransports } from './both-transports.ts';
import { at, viassh } from './run-viassh.ts';

onBothTransports('the exit code is the remote one, a signal is 128+n', async (t, transport) => {
  await using sshd = await startSshd();
  const cases = { true: 0, 'exit 7': 7, 'exit 255': 255, 'kill -TERM $$': 143, 'kill -KILL $$': 137 };
  for (const [command, code] of Object.entries(cases)) {
    const outcome = await viassh(['pipe', ...at(sshd, transport), '--', command]);
    t.strictSame({ ...outcome, stdout: outcome.stdout.length }, { code, signal: null, stdout: 0, stderr: '' }, command);
  }
});

onBothTransports(
  'a missing command is 127 with a hint that names it, and -q takes the hint away',
  async (t, transport) => {
    await using sshd = await startSshd();
    const loud = await viassh(['pipe', ...at(sshd, transport), '--', 'no-such-program', '-x']);
    t.equal(loud.code, 127);
    t.match(loud.stderr, /^viassh: warning: .*no-such-program -x.*full path/m);
    const quiet = await viassh(['pipe', '-q', ...at(sshd, transport), '--', 'no-such-program']);
    t.equal(quiet.code, 127);
    t.notMatch(quiet.stderr, /viassh:/);
  },
);
