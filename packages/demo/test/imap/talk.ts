import { ImapSession } from '../../src/imap/imap-session.ts';
import { createMailboxes } from '../../src/imap/mailbox.ts';

/** One session for a test: hand in bytes, get what is answered to them. */
export function startTalk(mailboxes: ReturnType<typeof createMailboxes> = createMailboxes()): {
  readonly session: ImapSession;
  readonly say: (text: string) => string;
  /** The untagged lines of a command, and its result. */
  readonly ask: (command: string) => { readonly lines: readonly string[]; readonly result: string };
} {
  const session = new ImapSession(mailboxes);
  let count = 0;
  const say = (text: string): string => Buffer.concat([...session.receive(Buffer.from(text))]).toString('latin1');
  return {
    session,
    say,
    ask(command) {
      count += 1;
      const lines = say(`t${count} ${command}\r\n`).split('\r\n').slice(0, -1);
      return { lines: lines.slice(0, -1), result: (lines.at(-1) ?? '').replace(`t${count} `, '') };
    },
  };
}
