import { ViasshError } from '../errors/viassh-error.ts';
import { type OptionTable, type OptionValues, parseOptions } from './options.ts';

/** What a key may do, said in the terms of sshd(8), AUTHORIZED_KEYS FILE FORMAT; all else is forbidden. */
export interface AccountLines {
  /** The forced command, as the account's login shell reads it. */
  readonly command?: string | undefined;
  /** What `restrict` took away and this key gets back: `pty`, `port-forwarding`, … */
  readonly permits?: readonly KeyPermit[] | undefined;
  /** Further options, written out: `permitopen="localhost:25"`. */
  readonly options?: readonly string[] | undefined;
  /** Lines for sshd_config, where the account needs any. */
  readonly sshdConfig?: readonly string[] | undefined;
  /** What else has to be there on the server, a sentence each. */
  readonly notes?: readonly string[] | undefined;
}

/** What `restrict` forbids, by the name that gives it back. */
export type KeyPermit = 'agent-forwarding' | 'port-forwarding' | 'pty' | 'user-rc' | 'X11-forwarding';

/** The server's side of one program, before the types of its options are erased. */
export interface AccountDefinition<T extends OptionTable> {
  /** What `viassh account` calls it: the program's own name. */
  readonly program: string;
  /** One line for lists. */
  readonly summary: string;
  readonly options: T;
  /** @throws ViasshError OPTION_INVALID for options that do not go together */
  lines(options: OptionValues<T>, situation: AccountSituation): AccountLines;
}

/** What of viassh is on the server. */
export interface AccountSituation {
  /** How `viassh` is called there. */
  readonly viassh: string;
}

/** The server's side of one program. Made by {@link defineAccount}. */
export interface Account extends Omit<AccountDefinition<OptionTable>, 'lines'> {
  /** @throws ViasshError OPTION_INVALID */
  lines(raw: Readonly<Record<string, unknown>>, situation: AccountSituation): AccountLines;
}

/** Makes an account from its definition; the types of its options are checked here and erased after. */
export function defineAccount<const T extends OptionTable>(definition: AccountDefinition<T>): Account {
  return {
    ...definition,
    lines: (raw, situation) => definition.lines(parseOptions(definition.options, raw), situation),
  };
}

const restricted: readonly KeyPermit[] = ['agent-forwarding', 'port-forwarding', 'pty', 'user-rc', 'X11-forwarding'];

/**
 * One line of authorized_keys: `restrict` and, for servers before OpenSSH 7.2 that do not know it, each prohibition by
 * name; then what is permitted, the forced command, and the key (`ssh-ed25519 AAAA… comment`).
 *
 * @throws ViasshError OPTION_INVALID for a command that no such line can hold
 */
export function authorizedKeysLine({ command, permits = [], options = [] }: AccountLines, key: string): string {
  const forbidden = restricted.filter((name) => !permits.includes(name)).map((name) => `no-${name}`);
  const forced = command === undefined ? [] : [`command="${quoted(command)}"`];
  return `${['restrict', ...forbidden, ...permits, ...options, ...forced].join(',')} ${key.trim()}`;
}

/** As sshd takes it apart (auth-options.c, opt_dequote): a quote is `\"`, and a backslash before anything else is itself. */
function quoted(command: string): string {
  if (!/[\p{Cc}]|\\$/u.test(command)) return command.replaceAll('"', '\\"');
  throw new ViasshError('OPTION_INVALID', 'authorized_keys has no way to write this command', {
    hint: 'a command there is one line without control characters and does not end in a backslash: put it into a script',
  });
}
