import { parseDestination, quoteWord, type RecipeSituation, ViasshError } from '@viassh/core';

type MailOptionTable = {
  readonly command: { readonly type: 'string'; readonly valueName: string; readonly summary: string };
  readonly orLocal: { readonly type: 'boolean'; readonly summary: string };
};

/** What every recipe of a mail program asks. */
export const mailOptions: MailOptionTable = {
  command: {
    type: 'string',
    valueName: 'COMMAND',
    summary: 'what starts the IMAP server on the far end (default: what viassh imap finds there); or as words after --',
  },
  orLocal: { type: 'boolean', summary: 'where this machine has that IMAP server: its mail, and no ssh' },
};

/** The values of {@link mailOptions}. */
export interface MailOptions {
  readonly command: string | undefined;
  readonly orLocal: boolean;
  readonly words: readonly string[];
}

/** Where the mail is, by plain names that stand in any configuration unquoted. */
export interface MailHost {
  readonly host: string;
  readonly user: string | undefined;
}

/**
 * The command line that speaks IMAP, for programs that have sh read it. Nobody is asked anything (BatchMode): the screen,
 * or there is none, is the mail program's.
 *
 * @throws ViasshError OPTION_INVALID
 */
export function shellCommand({ viassh, destination }: RecipeSituation, options: MailOptions): string {
  const command = commandOf(options);
  return [
    `${viassh} imap -o BatchMode=yes ${destination}`,
    ...(options.orLocal ? ['--or-local'] : []),
    ...(command === undefined ? [] : ['--command', quoteWord(command)]),
  ].join(' ');
}

/**
 * The same for programs that split at blanks and know no quotes: the command stands behind `--`, and its own quotes
 * reach the far end's shell as they are.
 *
 * @throws ViasshError OPTION_INVALID for what cannot be split and joined again
 */
export function splitCommand({ viassh, destination }: RecipeSituation, options: MailOptions, program: string): string {
  const command = commandOf(options);
  for (const [what, word] of [
    ['the path of viassh', viassh],
    ['the destination', destination],
  ] as const) {
    if (/^[\w@%+:,./-]+$/.test(word)) continue;
    throw new ViasshError('OPTION_INVALID', `${program} has no way to write ${what}: ${word}`, {
      hint: 'it splits at blanks and knows no quotes: put viassh into PATH, and give the destination a plain name in ~/.ssh/config',
    });
  }
  if (command !== undefined && /\s\s|^\s|\s$|\t/.test(command)) {
    throw new ViasshError('OPTION_INVALID', `${program} has no way to write this command: ${command}`, {
      hint: 'it splits at blanks, and of several only one is left: put the command into a script on the far end',
    });
  }
  return [
    `${viassh} imap -o BatchMode=yes ${destination}`,
    ...(options.orLocal ? ['--or-local'] : []),
    ...(command === undefined ? [] : ['--', command]),
  ].join(' ');
}

/** @throws ViasshError OPTION_INVALID for names that mail programs would take apart */
export function mailHost({ destination }: RecipeSituation): MailHost {
  const { host, user } = parseDestination(destination.replace(/^'(.*)'$/s, '$1'));
  for (const name of user === undefined ? [host] : [host, user]) {
    if (/^[\w.:+-]+$/.test(name)) continue;
    throw new ViasshError('OPTION_INVALID', `mail programs have no way to write the name '${name}'`, {
      hint: 'give it a plain name: Host, HostName and User in ~/.ssh/config',
    });
  }
  return { host, user };
}

/** A host as addresses have it: RFC 3986 §3.2.2. */
export function inAddress(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/**
 * A name for the host that no DNS ever knows (RFC 6761 §6.4): for programs that dial what they are told when the command
 * has failed, and then ask for a password.
 */
export function undialledName(host: string): string {
  return `${plainName(host)}.invalid`;
}

/** The host as a name for a store, an account or a folder: an address of IPv6 is none. */
export function plainName(host: string): string {
  return host.includes(':') ? `ipv6-${host.replaceAll(':', '-')}` : host;
}

/** The remote command, if one is named. @throws ViasshError OPTION_INVALID */
export function commandOf({ command, words }: Pick<MailOptions, 'command' | 'words'>): string | undefined {
  if (command !== undefined && words.length > 0) {
    throw new ViasshError('OPTION_INVALID', 'the command is named twice: by --command and after --', {
      hint: 'leave one of them away',
    });
  }
  const named = words.length > 0 ? words.join(' ') : command;
  if (named !== undefined && /\p{Cc}/u.test(named)) {
    throw new ViasshError('OPTION_INVALID', 'a configuration has no way to write a control character', {
      hint: 'put the command into a script on the far end',
    });
  }
  return named;
}
