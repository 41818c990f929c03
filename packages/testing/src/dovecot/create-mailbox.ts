import { access, chmod, chown, constants, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { quoteCommand } from '@viassh/core';
import type { Sshd } from '../sshd/sshd.ts';
import { type MailboxMessage, mailboxMessage } from './messages.ts';

/** A Maildir that Dovecot serves. It goes with the sshd that it was made for. */
export interface Mailbox {
  /** The remote command: Dovecot's imap on stdio, logged in already (PREAUTH), without any daemon. */
  readonly command: string;
  readonly maildir: string;
  /** In the order of their sequence numbers. */
  readonly messages: readonly MailboxMessage[];
}

const places = ['/usr/lib/dovecot/imap', '/usr/libexec/dovecot/imap'];

/**
 * Makes a mailbox for the user of an sshd fixture: in the home of a user that was made for it, else in the fixture's
 * folder. Nothing of the machine's own Dovecot configuration is read.
 *
 * @throws Error when there is no Dovecot: ask {@link missingForDovecot} first.
 */
export async function createMailbox(
  owner: Pick<Sshd, 'folder' | 'home' | 'uid' | 'gid' | 'scratchUser'>,
  { messages: count = 3 }: { readonly messages?: number } = {},
): Promise<Mailbox> {
  const imap = await findImap();
  if (imap === undefined) throw new Error('no Dovecot imap on this machine');
  const place = owner.scratchUser ? owner.home : owner.folder;
  const own = async (path: string): Promise<void> =>
    process.getuid?.() === 0 ? await chown(path, owner.uid, owner.gid) : undefined;
  const maildir = join(place, 'Maildir');
  for (const folder of ['', 'cur', 'new', 'tmp']) {
    await mkdir(join(maildir, folder), { mode: 0o700 });
    await own(join(maildir, folder));
  }
  const messages = Array.from({ length: count }, (_, index) => mailboxMessage(index));
  for (const [index, { date, text }] of messages.entries()) {
    const file = join(maildir, 'new', `${date.getTime() / 1000}.M${index}P1.mail.example`);
    await writeFile(file, text, { mode: 0o600 });
    await own(file);
  }
  const configFile = join(place, 'dovecot.conf');
  await writeFile(configFile, config(maildir));
  await chmod(configFile, 0o644);
  return { command: quoteCommand([imap, '-c', configFile]), maildir, messages };
}

/** The reason why {@link createMailbox} cannot work here, for tap's `skip`; undefined when it can. */
export async function missingForDovecot(): Promise<string | undefined> {
  return (await findImap()) === undefined
    ? 'no Dovecot imap on this machine (Debian: apt-get install dovecot-imapd)'
    : undefined;
}

async function findImap(): Promise<string | undefined> {
  for (const file of places) {
    if (
      await access(file, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return file;
  }
  return undefined;
}

/** Dovecot 2.3's: one namespace with the inbox, index files beside the mails. */
function config(maildir: string): string {
  return [
    `mail_location = maildir:${maildir}`,
    `base_dir = ${maildir}/run`,
    'namespace inbox {',
    '  inbox = yes',
    '}',
    '',
  ].join('\n');
}
