import { flagsItem } from './fetch.ts';
import { ImapRefusal } from './refusal.ts';
import { type CommandResult, messagesOf, selectionOf, type SessionState } from './selection.ts';
import { textOf, type Token } from './tokenizer.ts';

/** The flags that every mailbox knows, RFC 3501 §2.3.2. \Recent is the server's and there is none here. */
export const systemFlags: readonly string[] = ['\\Answered', '\\Flagged', '\\Deleted', '\\Seen', '\\Draft'];

const MOST_FLAGS = 50; // of one message

/** STORE and UID STORE, RFC 3501 §6.4.6. @throws ImapRefusal BAD, NO */
export function storeCommand(
  state: SessionState,
  [set, how, ...what]: readonly Token[],
  byUid: boolean,
): CommandResult {
  const selection = selectionOf(state);
  const [, sign, silent] = /^([+-]?)FLAGS(\.SILENT)?$/i.exec(textOf(how, 'FLAGS')) ?? [];
  if (sign === undefined) throw new ImapRefusal('BAD', 'FLAGS, +FLAGS or -FLAGS is wanted');
  if (selection.readOnly) throw new ImapRefusal('NO', 'the mailbox is open for reading only');
  const flags = flagsOf(what);
  const messages = messagesOf(selection, set, byUid);
  for (const { message } of messages) {
    if (sign === '') message.flags.clear();
    for (const flag of flags) {
      if (sign === '-') message.flags.delete(flag);
      else if (message.flags.size < MOST_FLAGS) message.flags.add(flag);
    }
  }
  if (silent !== undefined) return {};
  return {
    untagged: messages.map(
      ({ number, message }) => `${number} FETCH (${byUid ? `UID ${message.uid} ` : ''}${flagsItem(message)})`,
    ),
  };
}

function flagsOf(what: readonly Token[]): string[] {
  const [first] = what;
  const tokens = first?.kind === 'list' ? first.items : what;
  return tokens.map((token) => {
    const text = token.kind === 'atom' ? token.text : '';
    const known = systemFlags.find((flag) => flag.toLowerCase() === text.toLowerCase());
    if (known !== undefined) return known;
    if (/^[\w$.-]{1,64}$/.test(text)) return text;
    throw new ImapRefusal('BAD', 'not a flag that can be set');
  });
}
