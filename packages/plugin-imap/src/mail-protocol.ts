import { ViasshError } from '@viassh/core';
import type { GreetingKind } from './greeting.ts';

/** One protocol of mailboxes: all that differs between IMAP, POP3 and ManageSieve. */
export interface MailProtocol {
  /** For people. */
  readonly title: string;
  /** TCP, of a server that is reached by one. */
  readonly port: number;
  /** How a greeting starts, in capitals, and what it means. */
  readonly greetings: readonly (readonly [start: string, kind: GreetingKind])[];
  /** Servers that speak it on stdio and are logged in then; in the order in which they are looked for. */
  readonly commands: readonly string[];
  /**
   * What Dovecot's server is sent: started on stdio it does not greet, and what it answers has the form of a greeting.
   * Empty where it greets.
   */
  readonly opening: string;
  /** The last word to a client that gets no session: a reason on one line, to a line of the protocol. */
  farewell(reason: string): string;
}

const dovecotFolders = ['/usr/lib/dovecot', '/usr/libexec/dovecot', '/usr/local/libexec/dovecot'];
const inDovecot = (program: string): string[] => dovecotFolders.map((folder) => `${folder}/${program}`);

/** By the value of `--protocol`. */
export const mailProtocols: Readonly<Record<'imap' | 'pop3' | 'sieve', MailProtocol>> = {
  // RFC 3501 §7.1, RFC 9051 §7.1. imapd: Courier's and the University of Washington's; theirs is a PREAUTH on stdio.
  imap: {
    title: 'IMAP',
    port: 143,
    greetings: [
      ['* PREAUTH', 'preauth'],
      ['* OK', 'not-preauth'],
      ['* BYE', 'bye'],
    ],
    commands: [
      'imapd',
      ...inDovecot('imap'),
      '/usr/local/bin/imapd',
      '/usr/lib/courier-imap/bin/imapd',
      '/usr/sbin/imapd',
      '/usr/libexec/imapd',
    ],
    opening: '',
    farewell: (reason) => `* BYE ${reason}\r\n`,
  },
  // RFC 1939 §4
  pop3: {
    title: 'POP3',
    port: 110,
    greetings: [
      ['+OK', 'ready'],
      ['-ERR', 'bye'],
    ],
    commands: inDovecot('pop3'),
    opening: 'NOOP\r\n',
    farewell: (reason) => `-ERR ${reason}\r\n`,
  },
  // RFC 5804 §1.7, §2.4: the greeting is what CAPABILITY is answered with
  sieve: {
    title: 'ManageSieve',
    port: 4190,
    greetings: [
      ['"', 'ready'],
      ['OK', 'ready'],
      ['NO', 'bye'],
      ['BYE', 'bye'],
    ],
    commands: inDovecot('managesieve'),
    opening: 'CAPABILITY\r\n',
    farewell: (reason) => `BYE "${reason.replaceAll(/["\\]/g, "'")}"\r\n`,
  },
};

/** @throws ViasshError OPTION_INVALID */
export function mailProtocolOf(name: string): MailProtocol {
  const names = Object.keys(mailProtocols) as (keyof typeof mailProtocols)[];
  const found = names.find((each) => each === name);
  if (found !== undefined) return mailProtocols[found];
  throw new ViasshError('OPTION_INVALID', `--protocol takes ${names.join(', ')}, not '${name}'`);
}
