import { bodyStructure } from './body-structure.ts';
import { envelope } from './envelope.ts';
import { dateTime, list, literal, nstring } from './format.ts';
import type { Message } from './mailbox.ts';
import { ImapRefusal } from './refusal.ts';
import { readSection } from './section.ts';
import { type CommandResult, messagesOf, selectionOf, type SessionState } from './selection.ts';
import type { Token } from './tokenizer.ts';

/** One data item asked for: its words for a message, and whether looking at it is reading. */
interface FetchItem {
  readonly marksSeen: boolean;
  read(message: Message): string;
}

const MOST_ITEMS = 100;

/** FETCH and UID FETCH, RFC 3501 §6.4.5. @throws ImapRefusal BAD */
export function fetchCommand(state: SessionState, [set, what]: readonly Token[], byUid: boolean): CommandResult {
  const selection = selectionOf(state);
  const items = itemsOf(what, byUid);
  const untagged = messagesOf(selection, set, byUid).map(({ number, message }) => {
    const marks = !selection.readOnly && !message.flags.has('\\Seen') && items.some(({ item }) => item.marksSeen);
    if (marks) message.flags.add('\\Seen');
    const answers = items.map(({ item }) => item.read(message));
    if (marks && !items.some(({ name }) => name === 'FLAGS')) answers.push(flagsItem(message));
    return `${number} FETCH ${list(answers)}`;
  });
  return { untagged };
}

/** `FLAGS (\Seen)` */
export function flagsItem(message: Message): string {
  return `FLAGS ${list(message.flags)}`;
}

function itemsOf(what: Token | undefined, byUid: boolean): { readonly name: string; readonly item: FetchItem }[] {
  if (what === undefined) throw new ImapRefusal('BAD', 'what to fetch?');
  const names = (what.kind === 'list' ? what.items : [what]).flatMap((token) => {
    if (token.kind !== 'atom') throw new ImapRefusal('BAD', 'not a data item');
    return what.kind === 'list' ? [token.text] : (macros[token.text.toUpperCase()] ?? [token.text]);
  });
  if (names.length > MOST_ITEMS) throw new ImapRefusal('BAD', 'too many data items');
  const all = byUid && !names.some((name) => name.toUpperCase() === 'UID') ? ['UID', ...names] : names;
  return all.map((name) => ({ name: name.toUpperCase(), item: simpleItems[name.toUpperCase()] ?? sectionItem(name) }));
}

const macros: Readonly<Record<string, readonly string[]>> = {
  ALL: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE'],
  FAST: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE'],
  FULL: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE', 'BODY'],
};

const simpleItems: Readonly<Record<string, FetchItem>> = {
  FLAGS: peek(flagsItem),
  UID: peek(({ uid }) => `UID ${uid}`),
  INTERNALDATE: peek(({ internalDate }) => `INTERNALDATE ${dateTime(internalDate)}`),
  'RFC822.SIZE': peek(({ raw }) => `RFC822.SIZE ${raw.length}`),
  ENVELOPE: peek(({ mime }) => `ENVELOPE ${envelope(mime)}`),
  BODY: peek(({ mime }) => `BODY ${bodyStructure(mime, false)}`),
  BODYSTRUCTURE: peek(({ mime }) => `BODYSTRUCTURE ${bodyStructure(mime, true)}`),
  RFC822: { marksSeen: true, read: ({ raw }) => `RFC822 ${literal(raw.toString('latin1'))}` },
  'RFC822.HEADER': peek(({ mime }) => `RFC822.HEADER ${literal(mime.header)}`),
  'RFC822.TEXT': { marksSeen: true, read: ({ mime }) => `RFC822.TEXT ${literal(mime.body)}` },
};

function peek(read: (message: Message) => string): FetchItem {
  return { marksSeen: false, read };
}

function sectionItem(name: string): FetchItem {
  const match = /^BODY(\.PEEK)?\[([^\]]*)\](?:<(\d{1,9})\.(\d{1,9})>)?$/i.exec(name);
  if (match === null) throw new ImapRefusal('BAD', `unknown data item ${name.slice(0, 40)}`);
  const [, peeks, section = '', from, count] = match;
  return {
    marksSeen: peeks === undefined,
    read: ({ mime }) => {
      const bytes = readSection(mime, section);
      const label = `BODY[${section.toUpperCase()}]`;
      if (bytes === undefined) return `${label} ${nstring(bytes)}`;
      if (from === undefined) return `${label} ${literal(bytes)}`;
      return `${label}<${from}> ${literal(bytes.slice(Number(from), Number(from) + Number(count)))}`;
    },
  };
}
