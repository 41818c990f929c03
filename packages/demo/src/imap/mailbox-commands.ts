import { list, nstring, quoted } from './format.ts';
import { findMailbox, type Mailbox } from './mailbox.ts';
import { ImapRefusal } from './refusal.ts';
import { type CommandResult, selectionOf, type SessionState } from './selection.ts';
import { systemFlags } from './store.ts';
import { textOf, type Token } from './tokenizer.ts';

/** LIST and LSUB, RFC 3501 §6.3.8, §6.3.9: all mailboxes are subscribed. @throws ImapRefusal BAD */
export function listCommand(
  state: SessionState,
  [reference, pattern]: readonly Token[],
  name: 'LIST' | 'LSUB',
): CommandResult {
  const wanted = textOf(reference, 'reference') + textOf(pattern, 'pattern');
  if (wanted === '') return { untagged: [`${name} (\\Noselect) "/" ""`] };
  const matches = patternOf(wanted);
  const found = state.mailboxes.filter((mailbox) => matches.test(mailbox.name));
  return { untagged: found.map((mailbox) => `${name} (\\HasNoChildren) "/" ${quoted(mailbox.name)}`) };
}

/** STATUS, RFC 3501 §6.3.10. @throws ImapRefusal BAD, NO */
export function statusCommand(state: SessionState, [name, items]: readonly Token[]): CommandResult {
  const mailbox = mailboxOf(state, name);
  if (items?.kind !== 'list') throw new ImapRefusal('BAD', 'a list of items is wanted');
  const answers = items.items.map((token) => {
    const item = textOf(token).toUpperCase();
    const value = statusItems[item];
    if (value === undefined) throw new ImapRefusal('BAD', 'unknown item');
    return `${item} ${value(mailbox)}`;
  });
  return { untagged: [`STATUS ${nstring(mailbox.name)} ${list(answers)}`] };
}

/** SELECT and EXAMINE, RFC 3501 §6.3.1, §6.3.2. What was selected before is not, even on failure. @throws ImapRefusal BAD, NO */
export function selectCommand(state: SessionState, [name]: readonly Token[], readOnly: boolean): CommandResult {
  state.selected = undefined;
  const mailbox = mailboxOf(state, name);
  state.selected = { mailbox, readOnly, view: mailbox.messages };
  const unseen = mailbox.messages.findIndex(({ flags }) => !flags.has('\\Seen'));
  return {
    untagged: [
      `FLAGS ${list(systemFlags)}`,
      `${mailbox.messages.length} EXISTS`,
      '0 RECENT',
      ...(unseen === -1 ? [] : [`OK [UNSEEN ${unseen + 1}] first unseen`]),
      `OK [PERMANENTFLAGS ${readOnly ? '()' : list([...systemFlags, '\\*'])}] kept as long as the demo runs`,
      `OK [UIDVALIDITY ${mailbox.uidValidity}] valid`,
      `OK [UIDNEXT ${mailbox.uidNext}] next`,
    ],
    text: readOnly ? '[READ-ONLY] EXAMINE completed' : '[READ-WRITE] SELECT completed',
  };
}

/** CLOSE (RFC 3501 §6.4.2) and UNSELECT (RFC 3691). @throws ImapRefusal BAD */
export function closeCommand(state: SessionState, expunges: boolean): CommandResult {
  const { readOnly } = selectionOf(state);
  if (expunges && !readOnly) expungeCommand(state);
  state.selected = undefined;
  return {};
}

/** EXPUNGE, RFC 3501 §6.4.3. Other sessions see it when they select again. @throws ImapRefusal BAD, NO */
export function expungeCommand(state: SessionState): CommandResult {
  const selection = selectionOf(state);
  if (selection.readOnly) throw new ImapRefusal('NO', 'the mailbox is open for reading only');
  const gone = selection.view.filter(({ flags }) => flags.has('\\Deleted'));
  // From the last to the first, so that each number is right when it is told.
  const untagged = gone.map((message) => `${selection.view.indexOf(message) + 1} EXPUNGE`).toReversed();
  selection.view = selection.view.filter((message) => !gone.includes(message));
  selection.mailbox.messages = selection.mailbox.messages.filter((message) => !gone.includes(message));
  return { untagged };
}

const statusItems: Readonly<Record<string, (mailbox: Mailbox) => number>> = {
  MESSAGES: ({ messages }) => messages.length,
  RECENT: () => 0,
  UIDNEXT: ({ uidNext }) => uidNext,
  UIDVALIDITY: ({ uidValidity }) => uidValidity,
  UNSEEN: ({ messages }) => messages.filter(({ flags }) => !flags.has('\\Seen')).length,
};

function mailboxOf(state: SessionState, name: Token | undefined): Mailbox {
  const mailbox = findMailbox(state.mailboxes, textOf(name, 'mailbox'));
  if (mailbox === undefined) throw new ImapRefusal('NO', '[NONEXISTENT] there is no such mailbox');
  return mailbox;
}

/** `*` is anything, `%` anything but the separator. Wildcards beside each other are one: no pattern takes long. */
function patternOf(pattern: string): RegExp {
  if (pattern.length > 255) throw new ImapRefusal('BAD', 'the pattern is too long');
  const single = pattern.replace(/[*%]+/g, (run) => (run.includes('*') ? '*' : '%'));
  const source = single.replace(/[.+?^${}()|[\]\\*%]/g, (character) =>
    character === '*' ? '.*' : character === '%' ? '[^/]*' : `\\${character}`,
  );
  return new RegExp(`^${source.replace(/^inbox(?=$|[.[])/i, 'INBOX')}$`);
}
