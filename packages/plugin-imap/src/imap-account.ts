import { type Account, defineAccount } from '@viassh/core';
import { commandOf, mailServerOf } from './mail-server.ts';

/** The account's own mail by its mail server, and nothing else. */
export const imapAccount: Account = defineAccount({
  program: 'imap',
  summary: 'a key that may read and change the mail of the account, and nothing else',
  options: {
    command: {
      type: 'string',
      valueName: 'COMMAND',
      summary: 'what starts the mail server, already logged in (default: the first of the usual ones that is there)',
    },
    protocol: { type: 'string', valueName: 'PROTOCOL', summary: 'imap, pop3 or sieve', default: 'imap' },
  },
  lines: ({ command, protocol }) => ({
    command: commandOf(mailServerOf({ command, protocol, words: [], to: undefined })),
    notes: [
      'whatever command the client names, this one runs; it serves the account that the key is for, and no other',
      'the account needs a login shell that runs commands; Dovecot does not serve root',
    ],
  }),
});
