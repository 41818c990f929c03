import { type Account, type AccountLines, defineAccount, describeFarEnd, type FarEnd, ViasshError } from '@viassh/core';
import { DEFAULT_TO, smtpFarEnd } from './smtp-far-end.ts';

/** A key that may send mail and do nothing else: by one port of the server's, or by one command there. */
export const smtpAccount: Account = defineAccount({
  program: 'smtp',
  summary: 'send mail through the SMTP server of the machine, and nothing else',
  options: {
    to: {
      type: 'string',
      valueName: 'HOST:PORT',
      summary: `where the SMTP server is, as the clients name it (default: ${DEFAULT_TO})`,
    },
    command: {
      type: 'string',
      valueName: 'COMMAND',
      summary: 'a command in its place that speaks SMTP, as the user of the account: /usr/sbin/sendmail -bs',
    },
  },
  lines: (options) => {
    const farEnd = smtpFarEnd(options);
    return farEnd.kind === 'exec' ? byCommand(farEnd.command) : byPort(farEnd);
  },
});

function byCommand(command: string): AccountLines {
  return {
    command,
    notes: [
      `Whatever the key asks for, it gets this command: viassh smtp DEST --command '${command}'.`,
      'The mail server sees the user of this account as the one who sends.',
    ],
  };
}

/** A port forwarding cannot be all that a key may: without a forced command it may run any, and the other way round. */
function byPort(farEnd: FarEnd): AccountLines {
  const place = describeFarEnd(farEnd);
  if (!/^[\w.:[\]%-]+$/.test(place)) {
    throw new ViasshError('OPTION_INVALID', `authorized_keys has no way to write this host and port: '${place}'`, {
      hint: 'give a host name or an address, and a port: localhost:25',
    });
  }
  return {
    command: `echo 'this key may send mail by ${place}, and nothing else' >&2; exit 1`,
    permits: ['port-forwarding'],
    // permitopen binds the dialling of Unix sockets, too; permitlisten does not bind listening on them. Nothing else takes
    // -R away from a key that may forward: port 1 is nobody's.
    options: [`permitopen="${place}"`, 'permitlisten="localhost:1"'],
    sshdConfig: ['AllowStreamLocalForwarding no'],
    notes: [
      `Clients have to name it the same way: viassh smtp DEST --to ${place}.`,
      'It takes OpenSSH 7.8 or newer here (permitlisten).',
      'Without the line in sshd_config the key may also have sshd listen on a Unix socket, where the account may make files.',
      'Behind "Match User NAME" it is for this account alone.',
    ],
  };
}
