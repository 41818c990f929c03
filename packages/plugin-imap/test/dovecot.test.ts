import { existsSync } from 'node:fs';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { quoteCommand } from '@viassh/core';
import { makeScratchFolder } from '@viassh/testing';
import { runImap } from './run-imap.ts';

const program = '/usr/lib/dovecot/imap';
const nobody = 65_534;
const isRoot = userInfo().uid === 0;
const skip = !existsSync(program) && `${program} is not installed`;

/** Three mails in a Maildir, and the command that serves it. */
async function makeMaildir(folder: string): Promise<string> {
  const maildir = join(folder, 'Maildir');
  const parts = ['', 'cur', 'new', 'tmp'].map((name) => join(maildir, name));
  for (const part of parts) await mkdir(part);
  const mails = [1, 2, 3].map((number) => join(maildir, 'cur', `${number}.test:2,`));
  for (const [index, mail] of mails.entries())
    await writeFile(mail, `Subject: number ${index + 1}\n\nbody ${index + 1}\n`);
  if (isRoot) for (const path of [...parts, ...mails]) await chown(path, nobody, nobody);
  return serve('-o', `mail_location=maildir:${maildir}`);
}

/** Dovecot refuses to serve root on a socket, which is what a far end's stdout is. */
function serve(...settings: readonly string[]): string {
  const asNobody = isRoot ? ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'] : [];
  const user = isRoot ? 'nobody' : userInfo().username;
  return `exec ${quoteCommand([...asNobody, 'env', 'HOME=/', `USER=${user}`, program, ...settings])}`;
}

t.test('Dovecot: a whole session, and LOGOUT ends it with status 0', { skip }, async (t) => {
  await using folder = await makeScratchFolder();
  const input = 'a SELECT INBOX\r\nb FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]\r\nc LOGOUT\r\n';
  const { exit, error, stdout } = await runImap({ command: await makeMaildir(folder.path) }, { input });
  t.strictSame(exit, { kind: 'status', code: 0 }, error?.message ?? '');
  t.match(stdout, /^\* PREAUTH \[CAPABILITY IMAP4rev1[^\r\n]*\r\n/);
  for (const number of [1, 2, 3]) t.match(stdout, `Subject: number ${number}\r\n`);
  t.match(stdout, /\r\nc OK [^\r\n]*\r\n$/);
});

t.test('Dovecot: the end of input without LOGOUT ends it too', { skip }, async (t) => {
  await using folder = await makeScratchFolder();
  const { exit, error, stdout } = await runImap({ command: await makeMaildir(folder.path) });
  t.strictSame(exit, { kind: 'status', code: 0 }, error?.message ?? '');
  t.match(stdout, /^\* PREAUTH [^\r\n]*\r\n$/);
});

t.test('Dovecot: its own complaint about a missing configuration is shown', { skip }, async (t) => {
  const { error } = await runImap({ command: serve('-c', '/viassh/missing.conf') });
  t.match(error, { code: 'IMAP_NO_GREETING', message: /missing\.conf/ });
});

t.test(
  'Dovecot: its refusal to serve root is shown as its own',
  { skip: skip || (!isRoot && 'not root') },
  async (t) => {
    const { error } = await runImap({
      command: `USER=root exec ${program} -o mail_uid=${nobody} -o mail_gid=${nobody} -o mail_location=maildir:/x`,
    });
    t.match(error, { code: 'IMAP_NOISE', message: /must not be started from inetd/, hint: /another user than root/ });
  },
);
