import {
  bridge,
  definePlugin,
  type FarEnd,
  farEndNeeds,
  openFarEnd,
  parseTcpFarEnd,
  type Plugin,
  ViasshError,
} from '@viassh/core';

import { bsmtpExitCode, bsmtpOptions, checkBsmtp, deliverTaken, reportWithoutConnection, takeBatch } from './bsmtp/bsmtp.ts';

/** Where SMTP is spoken on the far end when nothing is named. */
const DEFAULT_TO = 'localhost:25';

/** SMTP on stdio for programs that can call a command. */
export const smtpPlugin: Plugin = definePlugin({
  apiVersion: 1,
  name: 'smtp',
  summary: 'SMTP on stdin and stdout, for mail programs and mail servers',
  options: {
    to: {
      type: 'string',
      valueName: 'HOST:PORT',
      summary: `what the far end dials (default: ${DEFAULT_TO})`,
    },
    unix: { type: 'string', valueName: 'PATH', summary: 'a Unix socket of the far end instead' },
    command: {
      type: 'string',
      valueName: 'COMMAND',
      summary: 'a command of the far end instead, e.g. /usr/sbin/sendmail -bs',
    },
    ...bsmtpOptions,
  },
  words: { name: 'COMMAND', summary: 'the same as --command, for programs that cannot quote' },
  examples: [
    { command: 'smtp user@host', summary: `speak SMTP with ${DEFAULT_TO} there` },
    { command: 'smtp user@host --bsmtp <batch', summary: 'deliver what a mail server wrote as a batch' },
  ],
  needs: (options) => [farEndNeeds[farEndOf(options).kind]],
  check: (options) => {
    farEndOf(options);
    checkBsmtp(options);
  },
  lifetime: 'one-shot',
  runHere: async (context, options) => {
    if (options.bsmtp) await takeBatch(context, options);
    return undefined;
  },
  exitCodeOf: (error, options) => (options.bsmtp ? bsmtpExitCode(error, options) : undefined),
  reportFailure: async (context, error, options) => {
    if (options.bsmtp) await reportWithoutConnection(context, error, options);
  },
  run: async (context, options) => {
    const { connection, stdio, signal } = context;
    if (options.bsmtp)
      return await deliverTaken(context, options, () => openFarEnd(connection, farEndOf(options), { signal }));
    const channel = await openFarEnd(connection, farEndOf(options), { signal });
    await bridge(channel, { input: stdio.input, output: stdio.output, error: stdio.error }, { signal }).done;
    return { kind: 'status', code: 0 };
  },
});

interface Where {
  readonly to: string | undefined;
  readonly unix: string | undefined;
  readonly command: string | undefined;
  readonly words: readonly string[];
}

function farEndOf({ to, unix, command, words }: Where): FarEnd {
  const named = [to, unix, command, words.length > 0 ? words.join(' ') : undefined].filter(
    (each) => each !== undefined,
  );
  if (named.length > 1) {
    throw new ViasshError('OPTION_INVALID', 'the far end is named twice', {
      hint: 'give one of --to, --unix, --command, or a command behind --',
    });
  }
  if (unix !== undefined) return { kind: 'unix', path: unix };
  if (command !== undefined || words.length > 0) return { kind: 'exec', command: command ?? words.join(' ') };
  return parseTcpFarEnd(to ?? DEFAULT_TO);
}
