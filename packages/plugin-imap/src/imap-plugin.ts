import {
  bridge,
  type Channel,
  definePlugin,
  type ExitStatus,
  farEndNeeds,
  missingCommandCode,
  parseNearEnd,
  type Plugin,
  type PluginContext,
  type SessionChannel,
  ViasshError,
} from '@viassh/core';
import { imapAccount } from './imap-account.ts';
import { type MailServerOptions, mailServerOf } from './mail-server.ts';
import { openMailbox } from './open-mailbox.ts';
import { imapRecipes } from './recipes/imap-recipes.ts';
import { serveHere } from './serve-here.ts';
import { serveMailbox } from './serve-mailbox.ts';

/** IMAP on stdio for programs that can call a command: mutt, fetchmail, mbsync and their like. */
export const imapPlugin: Plugin = definePlugin({
  apiVersion: 1,
  name: 'imap',
  summary: 'IMAP on stdin and stdout, already logged in (PREAUTH), for mail programs',
  options: {
    command: {
      type: 'string',
      valueName: 'COMMAND',
      summary: 'what starts the mail server on the far end, for the shell there (default: the first of the usual ones)',
    },
    to: {
      type: 'string',
      valueName: '[HOST:]PORT',
      summary: 'a mail server that the far end dials instead; the mail program logs in by itself then',
    },
    protocol: {
      type: 'string',
      valueName: 'PROTOCOL',
      summary: 'imap, pop3 or sieve',
      default: 'imap',
    },
    orLocal: { type: 'boolean', summary: 'run the command on this machine where that serves, and dial nothing then' },
    listen: {
      type: 'string',
      valueName: 'NEAR',
      summary: 'unix:PATH or tcp:[HOST:]PORT: each client that connects there gets a session of its own',
    },
    greetingTimeout: {
      type: 'number',
      valueName: 'SECONDS',
      summary: 'how long the mail server may take to greet',
      default: 30,
      min: 0.01,
      max: 86_400,
    },
  },
  words: { name: 'COMMAND', summary: 'the same as --command, for programs that cannot quote' },
  examples: [
    { command: 'imap user@host', summary: 'run the IMAP server that is there and speak IMAP with it' },
    { command: `imap user@host --command '/usr/lib/dovecot/imap'`, summary: 'a certain IMAP server' },
    { command: 'imap user@host -- /usr/lib/dovecot/imap', summary: 'the same without quotes, for fetchmail' },
    { command: 'imap user@host --listen unix:mail.sock', summary: 'for mail programs that can only connect' },
    { command: 'imap user@host --protocol pop3 --to 110', summary: 'POP3, with the login of the server there' },
  ],
  recipes: imapRecipes,
  accounts: [imapAccount],
  needs: (options) => [farEndNeeds[mailServerOf(options).farEnd.kind]],
  check,
  lifetime: ({ listen }) => (listen === undefined ? 'one-shot' : 'resident'),
  keepalive: true,
  exitCodeOf: (error) => (error.code === 'IMAP_NO_GREETING' ? missingCommandCode(error) : undefined),
  runHere: async (context, options) =>
    options.orLocal ? await serveHere(context, mailServerOf(options), options.greetingTimeout * 1000) : undefined,
  run: async (context, options) => {
    const { connection, signal, log } = context;
    const server = mailServerOf(options);
    const greetingTimeoutMs = options.greetingTimeout * 1000;
    if (options.listen !== undefined)
      return await serveMailbox(connection, server, parseNearEnd(options.listen), context, greetingTimeoutMs);
    return await carry(await openMailbox(connection, server, { greetingTimeoutMs, signal, log }), context);
  },
});

interface Options extends MailServerOptions {
  readonly listen: string | undefined;
  readonly orLocal: boolean;
}

function check(options: Options): void {
  const { listen, orLocal, to } = options;
  mailServerOf(options);
  if (listen !== undefined) parseNearEnd(listen);
  if (orLocal && (to !== undefined || listen !== undefined)) {
    throw new ViasshError('OPTION_INVALID', `--or-local does not go with ${to === undefined ? '--listen' : '--to'}`, {
      hint: 'it runs a command on this machine, on stdin and stdout',
    });
  }
}

/** Transparent from here on: S15, nothing dropped and nothing added. */
async function carry(channel: Channel | SessionChannel, { stdio, signal }: PluginContext): Promise<ExitStatus> {
  const { done, progress } = bridge(channel, { input: stdio.input, output: stdio.output }, { signal });
  await done;
  const exit: ExitStatus =
    'exit' in channel ? await channel.exit : progress.outputClosed ? { kind: 'missing' } : { kind: 'status', code: 0 };
  // A filter whose reader has gone: what a shell would show of any other one.
  if (exit.kind === 'missing' && progress.outputClosed)
    return { kind: 'signal', signal: 'PIPE', coreDumped: false, message: '' };
  return exit;
}
