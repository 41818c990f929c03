import { decodeWords } from './encoded-word.ts';
import { parseDay } from './format.ts';
import type { Message } from './mailbox.ts';
import { fieldValue } from './mime.ts';
import { ImapRefusal } from './refusal.ts';
import {
  type CommandResult,
  type Numbered,
  numbered,
  type Selection,
  selectionOf,
  type SessionState,
} from './selection.ts';
import { parseSequenceSet } from './sequence-set.ts';
import { textOf, type Token } from './tokenizer.ts';

/** A search key, ready to be asked of each message. */
type Criterion = (candidate: Numbered) => boolean;

const DEEPEST = 50; // NOT, OR and parentheses within each other
const DAY = 86_400_000;

/** SEARCH and UID SEARCH, RFC 3501 §6.4.4; US-ASCII and UTF-8. @throws ImapRefusal BAD, NO */
export function searchCommand(state: SessionState, args: readonly Token[], byUid: boolean): CommandResult {
  const selection = selectionOf(state);
  const queue = [...args];
  if (queue[0]?.kind === 'atom' && queue[0].text.toUpperCase() === 'CHARSET') {
    const charset = textOf(queue.splice(0, 2)[1], 'charset').toUpperCase();
    if (!['US-ASCII', 'UTF-8'].includes(charset))
      throw new ImapRefusal('NO', '[BADCHARSET (US-ASCII UTF-8)] unknown charset');
  }
  const matches = allOf(queue, selection, 0);
  const found = numbered(selection.view).filter(matches);
  return { untagged: [['SEARCH', ...found.map(({ number, message }) => (byUid ? message.uid : number))].join(' ')] };
}

function allOf(queue: Token[], selection: Selection, depth: number): Criterion {
  const criteria: Criterion[] = [];
  if (queue.length === 0) throw new ImapRefusal('BAD', 'what to search for?');
  while (queue.length > 0) criteria.push(nextKey(queue, selection, depth));
  return (candidate) => criteria.every((criterion) => criterion(candidate));
}

/** Takes one search key with its arguments off the queue. */
function nextKey(queue: Token[], selection: Selection, depth: number): Criterion {
  if (depth > DEEPEST) throw new ImapRefusal('BAD', 'too deep');
  const token = queue.shift();
  if (token?.kind === 'list') return allOf([...token.items], selection, depth + 1);
  const name = textOf(token, 'search key');
  const key = name.toUpperCase();
  const argument = (): string => textOf(queue.shift(), `argument of ${key}`);
  if (/^[\d*]/.test(key)) return inSet(key, selection.view.length, ({ number }) => number);
  if (key === 'UID') return inSet(argument(), selection.view.at(-1)?.uid ?? 0, ({ message }) => message.uid);
  if (key === 'NOT') return not(nextKey(queue, selection, depth + 1));
  if (key === 'OR') {
    const [one, other] = [nextKey(queue, selection, depth + 1), nextKey(queue, selection, depth + 1)];
    return (candidate) => one(candidate) || other(candidate);
  }
  if (key === 'HEADER') return inField(argument(), argument());
  if (key === 'KEYWORD' || key === 'UNKEYWORD') {
    const has = hasFlag(argument());
    return key === 'KEYWORD' ? has : not(has);
  }
  const plain = plainKeys[key];
  if (plain !== undefined) return plain;
  const make = argumentKeys[key];
  if (make !== undefined) return make(argument());
  throw new ImapRefusal('BAD', `unknown search key ${name.slice(0, 40)}`);
}

const plainKeys: Readonly<Record<string, Criterion>> = {
  ALL: () => true,
  NEW: () => false,
  RECENT: () => false,
  OLD: () => true,
  ...Object.fromEntries(
    ['\\Answered', '\\Deleted', '\\Draft', '\\Flagged', '\\Seen'].flatMap((flag) => {
      const name = flag.slice(1).toUpperCase();
      return [[name, hasFlag(flag)] as const, [`UN${name}`, not(hasFlag(flag))] as const];
    }),
  ),
};

const argumentKeys: Readonly<Record<string, (argument: string) => Criterion>> = {
  FROM: (text) => inField('from', text),
  TO: (text) => inField('to', text),
  CC: (text) => inField('cc', text),
  BCC: (text) => inField('bcc', text),
  SUBJECT: (text) => inField('subject', text),
  BODY: (text) => contains(text, ({ mime }) => mime.body),
  TEXT: (text) => contains(text, ({ raw }) => raw.toString('latin1')),
  LARGER: (text) => ofMessage(({ raw }) => raw.length > Number(text)),
  SMALLER: (text) => ofMessage(({ raw }) => raw.length < Number(text)),
  BEFORE: (text) => byDay(text, received, (day, wanted) => day < wanted),
  ON: (text) => byDay(text, received, (day, wanted) => day === wanted),
  SINCE: (text) => byDay(text, received, (day, wanted) => day >= wanted),
  SENTBEFORE: (text) => byDay(text, sent, (day, wanted) => day < wanted),
  SENTON: (text) => byDay(text, sent, (day, wanted) => day === wanted),
  SENTSINCE: (text) => byDay(text, sent, (day, wanted) => day >= wanted),
};

function ofMessage(test: (message: Message) => boolean): Criterion {
  return ({ message }) => test(message);
}

function not(criterion: Criterion): Criterion {
  return (candidate) => !criterion(candidate);
}

function hasFlag(flag: string): Criterion {
  return ofMessage(({ flags }) => flags.has(flag));
}

function inSet(set: string, largest: number, numberOf: (candidate: Numbered) => number): Criterion {
  const wanted = parseSequenceSet(set, largest);
  return (candidate) => wanted(numberOf(candidate));
}

/** An empty text finds every mail that has the field. */
function inField(name: string, text: string): Criterion {
  const wanted = readable(text);
  return ofMessage(({ mime }) => {
    const value = fieldValue(mime, name);
    return value !== undefined && decodeWords(value).toLowerCase().includes(wanted);
  });
}

function contains(text: string, source: (message: Message) => string): Criterion {
  const wanted = readable(text);
  return ofMessage((message) => readable(source(message)).includes(wanted));
}

function readable(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8').toLowerCase();
}

function received({ internalDate }: Message): number {
  return internalDate.getTime();
}

function sent({ mime }: Message): number {
  return Date.parse(fieldValue(mime, 'date') ?? '');
}

function byDay(
  text: string,
  timeOf: (message: Message) => number,
  compare: (day: number, wanted: number) => boolean,
): Criterion {
  const wanted = parseDay(text);
  if (Number.isNaN(wanted)) throw new ImapRefusal('BAD', 'not a date');
  return ofMessage((message) => compare(Math.floor(timeOf(message) / DAY) * DAY, wanted));
}
