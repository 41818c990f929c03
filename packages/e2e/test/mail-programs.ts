import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createProgramRunner } from '@viassh/program';

/** What a mail program is given: a folder of its own, and the command that reaches the mailbox. */
export interface MailSetup {
  readonly folder: string;
  /** Words without blanks, so that they stand in any configuration unquoted. */
  readonly imapCommand: readonly string[];
}

/** What a mail program brought home: the text of each mail. */
export interface Fetched {
  readonly code: number;
  readonly mails: readonly string[];
  /** All that the program said. */
  readonly output: string;
}

const programs = createProgramRunner();

/** fetchmail with `plugin` and `preauth ssh`; an mda that keeps each mail as a file. */
export async function runFetchmail({ folder, imapCommand }: MailSetup): Promise<Fetched> {
  const inbox = await makeFolder(folder, 'fetched');
  const mda = join(folder, 'mda');
  await writeFile(mda, `#!/bin/sh\nexec cat >"$(mktemp '${inbox}/XXXXXXXX')"\n`);
  await chmod(mda, 0o755);
  const rc = await privateFile(
    folder,
    'fetchmailrc',
    `poll localhost with protocol imap and port 143\n` +
      `  plugin "${imapCommand.join(' ')}"\n` +
      `  preauth ssh\n` +
      `  user "you" is "you" here\n` +
      `  sslproto ''\n` +
      `  mda "${mda}"\n` +
      `  fetchall keep\n`,
  );
  const args = ['-f', rc, '--pidfile', join(folder, 'fetchmail.pid'), '--nosyslog', '--nodetach', '-v'];
  const result = await run('fetchmail', args, { FETCHMAILHOME: folder, HOME: folder });
  return { ...result, mails: await readAll(inbox) };
}

/** mutt with `set tunnel`, on a terminal, tagging all and copying them to an mbox. */
export async function runMutt({ folder, imapCommand }: MailSetup): Promise<Fetched> {
  const mbox = join(folder, 'copied');
  const rc = await privateFile(
    folder,
    'muttrc',
    `set tunnel="${imapCommand.join(' ')}"\n` +
      'set tunnel_is_secure=yes\nset imap_user=you\nset imap_check_subscribed=no\n' +
      'set spoolfile=imap://localhost/INBOX folder=imap://localhost/\n' +
      'set mbox_type=mbox confirmcreate=no confirmappend=no copy=no beep=no sleep_time=0 quit=yes delete=no\n' +
      `push "<tag-pattern>~A<enter><tag-prefix><copy-message>${mbox}<enter><quit>"\n`,
  );
  const result = await run('script', ['-qec', `mutt -n -F ${rc}`, '/dev/null'], {
    HOME: folder,
    TERM: 'xterm',
    LANG: 'C.UTF-8',
  });
  const text = await readFile(mbox, 'utf8').catch(() => '');
  return { ...result, mails: text.split(/^From .*\n/m).slice(1) };
}

/** mbsync with `Tunnel`, pulling the inbox into a Maildir. */
export async function runMbsync({ folder, imapCommand }: MailSetup): Promise<Fetched> {
  const maildir = await makeFolder(folder, 'synced');
  const rc = await privateFile(
    folder,
    'mbsyncrc',
    `IMAPStore far\nTunnel "${imapCommand.join(' ')}"\n\n` +
      `MaildirStore near\nPath ${maildir}/\nInbox ${maildir}/INBOX\n\n` +
      'Channel mail\nFar :far:\nNear :near:\nPatterns INBOX\nCreate Near\nSync Pull\nSyncState *\n',
  );
  const result = await run('mbsync', ['-V', '-c', rc, '-a'], { HOME: folder });
  const inbox = join(maildir, 'INBOX');
  const mails = await Promise.all(['new', 'cur'].map((part) => readAll(join(inbox, part)).catch(() => [])));
  return { ...result, mails: mails.flat() };
}

async function run(
  file: string,
  args: readonly string[],
  env: Record<string, string>,
): Promise<Omit<Fetched, 'mails'>> {
  const { exit, stdout, stderr } = await programs.run({ file, args, env });
  return { code: exit.kind === 'status' ? exit.code : -1, output: stdout + stderr };
}

async function makeFolder(parent: string, name: string): Promise<string> {
  const folder = join(parent, name);
  await mkdir(folder, { mode: 0o700 });
  return folder;
}

async function privateFile(folder: string, name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text, { mode: 0o600 });
  return file;
}

async function readAll(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  return await Promise.all(names.toSorted().map((name) => readFile(join(folder, name), 'utf8')));
}
