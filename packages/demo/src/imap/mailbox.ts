import { type DemoMail, demoMails } from './demo-mails.ts';
import { type MimePart, parseMime } from './mime.ts';

/** A mail in a mailbox. Its flags change, nothing else does. */
export interface Message {
  readonly uid: number;
  readonly raw: Buffer;
  readonly internalDate: Date;
  readonly flags: Set<string>;
  readonly mime: MimePart;
}

/** A mailbox in memory; all sessions of a server share it. */
export interface Mailbox {
  readonly name: string;
  readonly uidValidity: number;
  readonly uidNext: number;
  messages: readonly Message[];
}

/** The mailboxes of a demo server: INBOX with `mails`, and an empty one. */
export function createMailboxes(mails: readonly DemoMail[] = demoMails()): readonly Mailbox[] {
  return [createMailbox('INBOX', mails), createMailbox('Archive', [])];
}

/** INBOX is the same in any case (RFC 3501 §5.1), other names are not. */
export function findMailbox(mailboxes: readonly Mailbox[], name: string): Mailbox | undefined {
  return mailboxes.find((mailbox) => mailbox.name === (name.toUpperCase() === 'INBOX' ? 'INBOX' : name));
}

function createMailbox(name: string, mails: readonly DemoMail[]): Mailbox {
  const messages = mails.map(({ raw, internalDate, flags }, index) => ({
    uid: 101 + index,
    raw,
    internalDate,
    flags: new Set(flags),
    mime: parseMime(raw.toString('latin1')),
  }));
  return { name, uidValidity: 1, uidNext: 101 + messages.length, messages };
}
