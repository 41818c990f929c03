/** A message as a mailbox of the fixture has it. */
export interface MailboxMessage {
  /** Decoded: what a mail client shows. */
  readonly subject: string;
  readonly from: string;
  /** With its angle brackets. */
  readonly messageId: string;
  /** Received at, for the file's name. */
  readonly date: Date;
  /** RFC 5322, lines ending in LF as in a Maildir. */
  readonly text: string;
}

const subjects = ['Minutes of Monday', 'Grüße aus Köln: 日本 🎈', 'Photographs, as promised'];

/** Message number `index`, from 0: a plain one, one with a UTF-8 subject, a multipart one, and so on in turn. */
export function mailboxMessage(index: number): MailboxMessage {
  const round = Math.floor(index / subjects.length);
  const plain = subjects[index % subjects.length] ?? '';
  const subject = round === 0 ? plain : `${plain} (${round + 1})`;
  const messageId = `<viassh-${index + 1}@mail.example>`;
  const from = index % 2 === 0 ? 'Ada Lovelace <ada@mail.example>' : 'Jörg Weiß <joerg@mail.example>';
  const date = new Date(Date.UTC(2026, 0, 5, 9, index));
  const head = [
    'Return-Path: <sender@mail.example>',
    `From: ${encodedName(from)}`,
    'To: You <you@mail.example>',
    `Subject: ${encoded(subject)}`,
    `Date: ${date.toUTCString().replace('GMT', '+0000')}`,
    `Message-Id: ${messageId}`,
    'MIME-Version: 1.0',
  ];
  const body = index % subjects.length === 2 ? multipart(index) : plainText(index);
  return { subject, from, messageId, date, text: `${[...head, ...body].join('\n')}\n` };
}

function plainText(index: number): string[] {
  return [
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    `This is message ${index + 1}. Schöne Grüße.`,
    '',
    'From here on the lines are odd: one with a dot,',
    '.',
    'and one that looks like a literal: {42}',
  ];
}

function multipart(index: number): string[] {
  const boundary = `=_part_${index}`;
  const picture = Buffer.from(Array.from({ length: 600 }, (_, byte) => byte % 256)).toString('base64');
  return [
    `Content-Type: multipart/mixed; boundary="${boundary}"`,
    '',
    'This is a message in several parts.',
    `--${boundary}`,
    ...plainText(index),
    `--${boundary}`,
    'Content-Type: application/octet-stream; name="picture.bin"',
    'Content-Disposition: attachment; filename="picture.bin"',
    'Content-Transfer-Encoding: base64',
    '',
    ...(picture.match(/.{1,76}/g) ?? []),
    `--${boundary}--`,
  ];
}

/** RFC 2047 encoded-word for what is not ASCII; short enough here for one. */
function encoded(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`;
}

function encodedName(address: string): string {
  const [, name = '', rest = ''] = /^(.*) (<.*>)$/.exec(address) ?? [];
  return `${encoded(name)} ${rest}`;
}
