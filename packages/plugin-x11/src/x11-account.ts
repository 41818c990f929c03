import { type Account, defineAccount } from '@viassh/core';

/** X11 for programs of the account, or for one of them. */
export const x11Account: Account = defineAccount({
  program: 'x11',
  summary: "a key that may start programs with their windows on the client's display",
  options: {
    command: { type: 'string', valueName: 'COMMAND', summary: 'this program alone, whatever the client names' },
  },
  lines: ({ command }) => ({
    command,
    permits: ['X11-forwarding'],
    sshdConfig: ['X11Forwarding yes'],
    notes: [
      'the program xauth has to be there (Debian: xauth)',
      'the account needs a login shell that runs commands; without --command it runs whatever the client names',
    ],
  }),
});
