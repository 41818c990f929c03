import { CommandReader } from './command-reader.ts';
import { fetchCommand } from './fetch.ts';
import type { Mailbox } from './mailbox.ts';
import { closeCommand, expungeCommand, listCommand, selectCommand, statusCommand } from './mailbox-commands.ts';
import { ImapRefusal } from './refusal.ts';
import { searchCommand } from './search.ts';
import type { CommandResult, SessionState } from './selection.ts';
import { storeCommand } from './store.ts';
import { type ImapCommand, parseCommand, tagOf, textOf, type Token } from './tokenizer.ts';

const CAPABILITY = 'CAPABILITY IMAP4rev1 LITERAL+ IDLE UNSELECT';

/** One IMAP session, already authenticated (RFC 3501 §3.2). Bytes in, bytes out, no stream. */
export class ImapSession {
  /** What the server says first. */
  readonly greeting: string = `* PREAUTH [${CAPABILITY}] viassh demo, nothing here is kept\r\n`;
  readonly #state: SessionState;
  readonly #reader = new CommandReader();
  #idleTag: string | undefined;
  #over = false;

  constructor(mailboxes: readonly Mailbox[]) {
    this.#state = { mailboxes, selected: undefined };
  }

  /** The session has said BYE: send what is there, and close. */
  get over(): boolean {
    return this.#over;
  }

  /** Takes bytes of the client and answers them, one piece for each command. Never throws. */
  *receive(chunk: Buffer): Generator<Buffer, void> {
    this.#reader.push(chunk);
    while (!this.#over) {
      const event = this.#reader.next();
      if (event === undefined) return;
      if (event.kind === 'command') yield Buffer.from(this.#answer(event.text), 'latin1');
      else if (event.kind === 'continue') yield Buffer.from('+ go on\r\n');
      else yield Buffer.from(this.#bye('the line is too long'));
    }
  }

  #answer(text: string): string {
    if (this.#idleTag !== undefined) return this.#endIdle(text);
    try {
      const command = parseCommand(text);
      if (command.name === 'LOGOUT') return `${this.#bye('until next time')}${command.tag} OK LOGOUT completed\r\n`;
      if (command.name === 'IDLE') {
        this.#idleTag = command.tag;
        return '+ idling\r\n';
      }
      const { untagged = [], text: done = `${command.name} completed` } = this.#run(command);
      return `${untagged.map((line) => `* ${line}\r\n`).join('')}${command.tag} OK ${done}\r\n`;
    } catch (error) {
      const status = error instanceof ImapRefusal ? error.status : 'BAD';
      return `${tagOf(text)} ${status} ${error instanceof ImapRefusal ? error.message : 'that was too much'}\r\n`;
    }
  }

  #run({ name, args }: ImapCommand): CommandResult {
    if (name === 'UID') {
      const [inner, ...rest] = args;
      const command = inner?.kind === 'atom' ? messageCommands[inner.text.toUpperCase()] : undefined;
      if (command === undefined) throw new ImapRefusal('BAD', 'UID FETCH, UID SEARCH or UID STORE');
      return { text: `UID ${textOf(inner).toUpperCase()} completed`, ...command(this.#state, rest, true) };
    }
    const command = commands[name];
    if (command !== undefined) return command(this.#state, args);
    throw notDone.has(name)
      ? new ImapRefusal('NO', `the demo has no ${name}`)
      : new ImapRefusal('BAD', 'unknown command');
  }

  /** RFC 2177 §3 */
  #endIdle(text: string): string {
    const tag = this.#idleTag ?? '*';
    this.#idleTag = undefined;
    return text.toUpperCase() === 'DONE' ? `${tag} OK IDLE completed\r\n` : `${tag} BAD DONE was expected\r\n`;
  }

  #bye(text: string): string {
    this.#over = true;
    return `* BYE ${text}\r\n`;
  }
}

type MessageCommand = (state: SessionState, args: readonly Token[], byUid: boolean) => CommandResult;

const messageCommands: Readonly<Record<string, MessageCommand>> = {
  FETCH: fetchCommand,
  SEARCH: searchCommand,
  STORE: storeCommand,
};

const commands: Readonly<Record<string, (state: SessionState, args: readonly Token[]) => CommandResult>> = {
  CAPABILITY: () => ({ untagged: [CAPABILITY] }),
  NOOP: () => ({}),
  CHECK: () => ({}),
  LIST: (state, args) => listCommand(state, args, 'LIST'),
  LSUB: (state, args) => listCommand(state, args, 'LSUB'),
  STATUS: statusCommand,
  SELECT: (state, args) => selectCommand(state, args, false),
  EXAMINE: (state, args) => selectCommand(state, args, true),
  CLOSE: (state) => closeCommand(state, true),
  UNSELECT: (state) => closeCommand(state, false),
  EXPUNGE: (state) => expungeCommand(state),
  FETCH: (state, args) => fetchCommand(state, args, false),
  SEARCH: (state, args) => searchCommand(state, args, false),
  STORE: (state, args) => storeCommand(state, args, false),
};

/** Commands of IMAP4rev1 that are understood and not offered. */
const notDone: ReadonlySet<string> = new Set([
  'APPEND',
  'AUTHENTICATE',
  'COPY',
  'CREATE',
  'DELETE',
  'LOGIN',
  'RENAME',
  'STARTTLS',
  'SUBSCRIBE',
  'UNSUBSCRIBE',
]);
