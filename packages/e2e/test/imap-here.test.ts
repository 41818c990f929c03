import { chmod, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import {
  createMailbox,
  descendantsOf,
  listProcesses,
  makeScratchFolder,
  missingForDovecot,
  missingForSshd,
  startSshd,
} from '@viassh/testing';
import { onBothTransports, tidyTest } from './both-transports.ts';
import { overhear } from './overheard.ts';
import { at, startViassh, viassh } from './run-viassh.ts';

const skip = (await missingForSshd()) ?? (await missingForDovecot()) ?? false;
/** Nothing can be reached there. */
const nowhere = 'nobody@viassh.invalid';

/** A folder for PATH with an `imapd` in it. */
async function withImapd(script: string): Promise<AsyncDisposable & { readonly env: Record<string, string> }> {
  const folder = await makeScratchFolder();
  const file = join(folder.path, 'imapd');
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
  return {
    env: { PATH: [folder.path, process.env['PATH']].join(delimiter) },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

tidyTest(
  '--or-local: where the server is here, it is run here and nothing is dialled',
  async (t) => {
    await using sshd = await startSshd(); // for a user whose mailbox Dovecot opens
    const { command } = await createMailbox(sshd);
    const { uid, gid, user, home } = sshd;
    const asUser = process.getuid?.() === 0 ? `setpriv --reuid=${uid} --regid=${gid} --clear-groups ` : '';
    await using here = await withImapd(`HOME=${home} USER=${user} exec ${asUser}${command}`);
    const input = 'a SELECT INBOX\r\nb LOGOUT\r\n';
    const { code, stdout, stderr } = await viassh(['imap', '--or-local', nowhere], { input, env: here.env });
    t.strictSame({ code, stderr }, { code: 0, stderr: '' });
    t.match(stdout.toString(), /^\* PREAUTH .*\* 3 EXISTS.*\nb OK [^\r\n]*\r\n$/s);
    const ended = await viassh(['imap', '--or-local', '-v', nowhere], { env: here.env });
    t.match(ended, { code: 0, stderr: /this machine: found .*\/imapd\n/ }, 'the end of stdin ends it, too');
    t.match(ended.stderr, /nothing is dialled/);
  },
  skip,
);

onBothTransports(
  '--or-local: where the server is not here, or not logged in, it is the far end that serves, from the first byte',
  async (t, transport) => {
    await using sshd = await startSshd();
    const { command } = await createMailbox(sshd);
    const input = 'a SELECT INBOX\r\nb LOGOUT\r\n';
    for (const local of [
      'exit 127',
      `printf '* OK a login, please\\r\\n'; exec cat`,
      'echo Welcome; exec cat',
      `printf '* BYE go away\\r\\n'`,
    ]) {
      // The same command means the one here and the one there.
      const both = `if [ -e ${sshd.folder} ] && [ -z "$SSH_CONNECTION" ]; then ${local}; else exec ${command}; fi`;
      const { code, stdout, stderr } = await viassh(['imap', '--or-local', ...at(sshd, transport), '--command', both], {
        input,
        env: { SSH_CONNECTION: undefined },
      });
      t.strictSame({ code, stderr }, { code: 0, stderr: '' }, local);
      t.match(stdout.toString(), /^\* PREAUTH .*\* 3 EXISTS.*\nb OK [^\r\n]*\r\n$/s, local);
    }
  },
  skip,
);

tidyTest(
  '--or-local: LOGOUT ends it with the exit code of the server, while stdin is open',
  async (t) => {
    await using here = await withImapd(`printf '* PREAUTH here\\r\\n'; read -r line; printf '* BYE\\r\\n'; exit 3`);
    await using running = startViassh(['imap', '--or-local', nowhere], { env: here.env });
    const said = overhear(running.stdout);
    running.stdin.write('a LOGOUT\r\n');
    t.strictSame(await running.exit, { code: 3, signal: null });
    t.equal(said.text(), '* PREAUTH here\r\n* BYE\r\n');
  },
  false,
);

tidyTest(
  '--or-local: a signal ends the server that runs here',
  async (t) => {
    await using here = await withImapd(`printf '* PREAUTH here\\r\\n'; exec sleep 1000`);
    await using running = startViassh(['imap', '--or-local', nowhere], { env: here.env });
    await overhear(running.stdout).until(/^\* PREAUTH here\r\n$/);
    const server = descendantsOf(running.pid, await listProcesses()).find((each) =>
      each.command.includes('sleep 1000'),
    );
    t.ok(server);
    running.kill('SIGTERM');
    t.strictSame(await running.exit, { code: 143, signal: null });
  },
  false,
);

tidyTest(
  '--or-local: a mail program that goes away ends the server that runs here',
  async (t) => {
    await using here = await withImapd(`printf '* PREAUTH here\\r\\n'; exec yes`);
    const { code, stderr } = await viassh(['imap', '--or-local', nowhere], {
      env: here.env,
      shell: '{ "$@"; echo $? >&2; } | head -c 100 >/dev/null',
    });
    t.strictSame({ code, stderr }, { code: 0, stderr: '141\n' });
  },
  false,
);
