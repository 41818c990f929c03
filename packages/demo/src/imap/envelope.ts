import { list, nstring } from './format.ts';
import { fieldValue, type MimePart } from './mime.ts';

/** ENVELOPE, RFC 3501 §7.4.2. Sender and Reply-To default to From. */
export function envelope(mail: MimePart): string {
  const from = addresses(fieldValue(mail, 'from'));
  const or = (name: string): string => {
    const own = addresses(fieldValue(mail, name));
    return own === 'NIL' ? from : own;
  };
  return list([
    nstring(fieldValue(mail, 'date')),
    nstring(fieldValue(mail, 'subject')),
    from,
    or('sender'),
    or('reply-to'),
    addresses(fieldValue(mail, 'to')),
    addresses(fieldValue(mail, 'cc')),
    addresses(fieldValue(mail, 'bcc')),
    nstring(fieldValue(mail, 'in-reply-to')),
    nstring(fieldValue(mail, 'message-id')),
  ]);
}

/** Mailbox lists of RFC 5322 §3.4 without groups and comments. */
function addresses(value: string | undefined): string {
  if (value === undefined || value === '') return 'NIL';
  return `(${splitAtCommas(value).map(address).join('')})`;
}

function address(text: string): string {
  const [, name = '', inAngles, bare] = /^(.*?)(?:<([^>]*)>|(\S+))\s*$/.exec(text) ?? [];
  const [mailbox, host] = (inAngles ?? bare ?? text).split('@');
  const shown = name
    .trim()
    .replace(/^"(.*)"$/, '$1')
    .replace(/\\(.)/g, '$1');
  return list([nstring(shown === '' ? undefined : shown), 'NIL', nstring(mailbox), nstring(host)]);
}

function splitAtCommas(value: string): string[] {
  return (value.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g) ?? [])
    .map((piece) => piece.trim())
    .filter((piece) => piece !== '');
}
