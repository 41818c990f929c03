import type { Mailbox, Message } from './mailbox.ts';
import { ImapRefusal } from './refusal.ts';
import { parseSequenceSet } from './sequence-set.ts';
import { textOf, type Token } from './tokenizer.ts';

/** A selected mailbox as one session sees it: sequence numbers are places in `view`, starting at 1. */
export interface Selection {
  readonly mailbox: Mailbox;
  readonly readOnly: boolean;
  view: readonly Message[];
}

/** What a session is and has. */
export interface SessionState {
  readonly mailboxes: readonly Mailbox[];
  selected: Selection | undefined;
}

/** What a command answers before its OK. */
export interface CommandResult {
  readonly untagged?: readonly string[];
  /** After `OK`; default `NAME completed`. */
  readonly text?: string;
}

/** A message and its sequence number. */
export interface Numbered {
  readonly number: number;
  readonly message: Message;
}

/** @throws ImapRefusal BAD when no mailbox is selected. */
export function selectionOf(state: SessionState): Selection {
  if (state.selected === undefined) throw new ImapRefusal('BAD', 'no mailbox is selected');
  return state.selected;
}

/** The messages of a set of sequence numbers, or of UIDs. @throws ImapRefusal BAD */
export function messagesOf({ view }: Selection, set: Token | undefined, byUid: boolean): Numbered[] {
  const largest = byUid ? (view.at(-1)?.uid ?? 0) : view.length;
  const wanted = parseSequenceSet(textOf(set, 'sequence set'), largest);
  return numbered(view).filter(({ number, message }) => wanted(byUid ? message.uid : number));
}

/** All messages of a view with their sequence numbers. */
export function numbered(view: readonly Message[]): Numbered[] {
  return view.map((message, index) => ({ number: index + 1, message }));
}
