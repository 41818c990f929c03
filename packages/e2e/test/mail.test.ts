import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createMailbox, findProgram, missingForDovecot, missingForSshd, startSshd } from '@viassh/testing';
import t from 'tap';
import { type Fetched, type MailSetup, runFetchmail, runMbsync, runMutt } from './mail-programs.ts';
import { cliFile as main } from './run-viassh.ts';

const missing = (await missingForSshd()) ?? (await missingForDovecot());
const clients: readonly (readonly [name: string, run: (setup: MailSetup) => Promise<Fetched>])[] = [
  ['fetchmail', runFetchmail],
  ['mutt', runMutt],
  ['mbsync', runMbsync],
];

for (const transport of ['openssh', 'ssh2'] as const) {
  for (const [client, run] of clients) {
    const skip = missing ?? ((await findProgram(client)) === undefined ? `${client} is not installed` : false);
    await t.test(
      `${client} reads every mail of a Dovecot mailbox through viassh imap on ${transport}`,
      { skip },
      async (t) => {
        await using sshd = await startSshd();
        const mailbox = await createMailbox(sshd, { messages: 5 });
        const folder = join(sshd.folder, 'client');
        await mkdir(folder, { mode: 0o700 });
        const viassh = await wrapper(folder);
        const imapCommand = [
          viassh,
          '--transport',
          transport,
          'imap',
          '-F',
          sshd.configFile,
          sshd.destination,
          '--',
          ...mailbox.command.split(' '),
        ];
        const { code, mails, output } = await run({ folder, imapCommand });
        const fetched = mailbox.messages.map(
          ({ messageId }) => mails.filter((mail) => mail.includes(messageId)).length,
        );
        t.strictSame(fetched, [1, 1, 1, 1, 1], `each message once${code === 0 ? '' : `\n${output}`}`);
        t.equal(code, 0, output);
      },
    );
  }
}

/** `viassh` as an installed program: one file without blanks in its name. */
async function wrapper(folder: string): Promise<string> {
  const file = join(folder, 'viassh');
  await writeFile(file, `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
  await chmod(file, 0o755);
  return file;
}
