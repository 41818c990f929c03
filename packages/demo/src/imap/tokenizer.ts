import { ImapRefusal } from './refusal.ts';

/** An argument of a command (RFC 3501 §9). A section in brackets belongs to its atom: `BODY[HEADER.FIELDS (DATE)]<0.9>`. */
export type Token =
  | { readonly kind: 'atom'; readonly text: string }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly Token[] };

/** A command, taken apart. `name` is in upper case. */
export interface ImapCommand {
  readonly tag: string;
  readonly name: string;
  readonly args: readonly Token[];
}

const DEEPEST = 20; // lists within lists

/** The tag of a command line, for an answer to a line that is otherwise not understood; `*` when it has none. */
export function tagOf(text: string): string {
  return /^[^\s(){%*"\\\]+\p{Cc}\xa0-\xff]{1,64}(?= |$)/u.exec(text)?.[0] ?? '*';
}

/** @throws ImapRefusal BAD */
export function parseCommand(text: string): ImapCommand {
  const tag = tagOf(text);
  const name = /^ ([A-Za-z]+)(?= |$)/.exec(text.slice(tag.length))?.[1];
  if (tag === '*' || name === undefined) throw new ImapRefusal('BAD', 'a tag and a command are wanted');
  return { tag, name: name.toUpperCase(), args: parseTokens(text, tag.length + 1 + name.length) };
}

/** The text of an argument that must not be a list. @throws ImapRefusal BAD */
export function textOf(token: Token | undefined, what = 'argument'): string {
  if (token === undefined || token.kind === 'list') throw new ImapRefusal('BAD', `${what} missing`);
  return token.text;
}

function parseTokens(text: string, from: number): readonly Token[] {
  const outer: Token[] = [];
  const open: Token[][] = [outer];
  const pattern =
    /(?<gap> +)|(?<open>\()|(?<close>\))|"(?<quoted>(?:[^"\\\r\n]|\\["\\])*)"|\{(?<size>\d+)\+?\}\r?\n|(?<atom>\\?[^ (){"\\[\p{Cc}]+(?:\[[^\]\r\n]*\][^ (){"\\[\p{Cc}]*)?|\\\*)/uy;
  pattern.lastIndex = from;
  while (pattern.lastIndex < text.length) {
    const groups = pattern.exec(text)?.groups;
    const items = open.at(-1);
    if (groups === undefined || items === undefined) throw new ImapRefusal('BAD', 'syntax');
    if (groups['open'] !== undefined) {
      const inner: Token[] = [];
      items.push({ kind: 'list', items: inner });
      if (open.push(inner) > DEEPEST) throw new ImapRefusal('BAD', 'too many parentheses');
    } else if (groups['close'] !== undefined) {
      open.pop();
    } else if (groups['quoted'] !== undefined) {
      items.push({ kind: 'string', text: groups['quoted'].replace(/\\(.)/g, '$1') });
    } else if (groups['size'] !== undefined) {
      const end = pattern.lastIndex + Number(groups['size']);
      items.push({ kind: 'string', text: text.slice(pattern.lastIndex, end) });
      pattern.lastIndex = end;
    } else if (groups['atom'] !== undefined) {
      items.push({ kind: 'atom', text: groups['atom'] });
    }
  }
  if (open.length !== 1) throw new ImapRefusal('BAD', 'parentheses do not match');
  return outer;
}
