import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sshd } from '@viassh/testing';
import type { Test } from 'tap';
import { onBothTransports, onTransport } from './both-transports.ts';
import { makeMailBench, readMaildir, skipWithout } from './mail-bench.ts';
import { addAccount } from './recipes-and-accounts.ts';
import { reaching, runProgram } from './run-program.ts';

onBothTransports(
  'imap account: the printed line lets a key read the mail, whatever command its client names, and do nothing else',
  async (t, transport) => {
    await using bench = await makeMailBench(transport, { config: ['Subsystem sftp internal-sftp'] });
    const account = await addAccount(bench.sshd, ['imap', '--command', bench.command]);
    const env = reaching(account, transport);
    await bench.apply('mbsync', '--folder', '~/Mail');
    // The recipe's command is another one than the account's; the key decides.
    const { code, stderr } = await bench.run('mbsync', ['t'], { env });
    t.equal(code, 0, stderr);
    t.strictSame(bench.count(await readMaildir(join(bench.home, 'Mail/INBOX'))), [1, 1, 1, 1]);
    await refusesAllElse(t, bench.sshd, env);
  },
  await skipWithout('mbsync'),
);

onTransport(
  'ssh2',
  'imap account without a command: the key gets the mail server that is there',
  async (t, transport) => {
    await using bench = await makeMailBench(transport);
    const env = reaching(await addAccount(bench.sshd, ['imap']), transport);
    const { stdout, stderr } = await bench.run('viassh', ['imap', 't', '--command', 'false'], { env });
    t.match(stdout.toString(), /^\* PREAUTH /, stderr);
  },
  await skipWithout(),
);

/** No shell, no other command, no pty, no subsystem, no forward, either way: nothing of it comes about. */
async function refusesAllElse(t: Test, sshd: Sshd, env: Record<string, string>): Promise<void> {
  const ran = join(sshd.folder, 'home', 'ran');
  for (const words of [
    [`touch ${ran}`],
    [`imapd; touch ${ran}`],
    [`$(touch ${ran})`],
    [`imapd\ntouch ${ran}`],
    ['-s', 'sftp'],
    ['-o', 'SetEnv=BASH_ENV=/dev/stdin', `touch ${ran}`],
  ]) {
    const options = words.slice(0, -1);
    const { stdout } = await runProgram('viassh-ssh', [...options, 't', words.at(-1) ?? ''], {
      env,
      input: `touch ${ran}\n`,
    });
    t.match(stdout.toString(), /^\* PREAUTH .*\r\n(?:touch BAD .*\r\n)?/, `${words.join(' ')}: the mail, as ever`);
  }
  await t.rejects(access(ran), 'nothing of it ran');
  const tty = await runProgram('viassh', ['pipe', '-t', 't'], { env });
  t.match(tty.stderr, /REQUEST_REFUSED|PTY allocation request failed/);
  const forward = await runProgram('viassh-ssh', ['-W', '127.0.0.1:22', 't'], { env });
  t.not(forward.code, 0);
  t.match(await sshd.log(), /refused local port forward/, 'sshd says that it refused the forward');
  const remote = await runProgram('viassh-ssh', ['-N', '-o', 'ExitOnForwardFailure=yes', '-R', '0:127.0.0.1:22', 't'], {
    env,
  });
  t.not(remote.code, 0);
}
