import { definePlugin, farEndNeeds, missingCommandCode, parseNearEnd, type Plugin, ViasshError } from '@viassh/core';
import {
  bsmtpExitCode,
  bsmtpOptions,
  checkBsmtp,
  deliverTaken,
  reportWithoutConnection,
  takeBatch,
} from './bsmtp/bsmtp.ts';
import { openGreeted } from './open-greeted.ts';
import { mailServerRecipes } from './recipes/mail-server-recipes.ts';
import { msmtpRecipe } from './recipes/msmtp.ts';
import { nodemailerRecipe } from './recipes/nodemailer.ts';
import { swaksRecipe } from './recipes/swaks.ts';
import { relay, serveRelay } from './relay.ts';
import { smtpAccount } from './smtp-account.ts';
import { DEFAULT_TO, smtpFarEnd } from './smtp-far-end.ts';

/** SMTP for programs that can call a command, or only speak to a port. */
export const smtpPlugin: Plugin = definePlugin({
  apiVersion: 1,
  name: 'smtp',
  summary: 'SMTP through the far end, on stdin and stdout, for mail programs and mail servers',
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
    listen: {
      type: 'string',
      valueName: 'NEAR',
      summary: 'serve each client of unix:PATH or tcp:[HOST:]PORT, in place of stdin and stdout',
    },
    greetingTimeout: {
      type: 'number',
      valueName: 'SECONDS',
      summary: 'how long the SMTP server may take to greet',
      default: 300, // RFC 5321 §4.5.3.2.1
      min: 0.01,
      max: 86_400,
    },
    ...bsmtpOptions,
  },
  words: { name: 'COMMAND', summary: 'the same as --command, for programs that cannot quote' },
  examples: [
    { command: 'smtp user@host', summary: `speak SMTP with ${DEFAULT_TO} there` },
    { command: `smtp user@host --command '/usr/sbin/sendmail -bs'`, summary: 'with a command there' },
    { command: 'smtp user@host --listen tcp:2525', summary: 'for programs that only speak to a port' },
    { command: 'smtp user@host --bsmtp <batch', summary: 'deliver what a mail server wrote as a batch' },
  ],
  recipes: [...mailServerRecipes, msmtpRecipe, nodemailerRecipe, swaksRecipe],
  accounts: [smtpAccount],
  keepalive: true,
  needs: (options) => [farEndNeeds[smtpFarEnd(options, options.words).kind]],
  check: (options) => {
    smtpFarEnd(options, options.words);
    checkBsmtp(options);
    if (options.listen === undefined) return;
    parseNearEnd(options.listen);
    if (!options.bsmtp) return;
    throw new ViasshError('OPTION_INVALID', '--bsmtp reads one batch on stdin and listens for nobody', {
      hint: 'leave --bsmtp or --listen away',
    });
  },
  lifetime: ({ listen }) => (listen === undefined ? 'one-shot' : 'resident'),
  runHere: async (context, options) => {
    if (options.bsmtp) await takeBatch(context, options);
    return undefined;
  },
  exitCodeOf: (error, options) => {
    if (options.bsmtp) return bsmtpExitCode(error, options);
    return error.code === 'SMTP_PROTOCOL' ? missingCommandCode(error) : undefined;
  },
  reportFailure: async (context, error, options) => {
    if (options.bsmtp) await reportWithoutConnection(context, error, options);
  },
  run: async (context, options) => {
    const { connection, signal, log } = context;
    const farEnd = smtpFarEnd(options, options.words);
    const timeoutMs = options.greetingTimeout * 1000;
    if (options.bsmtp)
      return await deliverTaken(
        context,
        options,
        async () => (await openGreeted(connection, farEnd, { timeoutMs, signal, log })).channel,
      );
    if (options.listen === undefined) return await relay(context, farEnd, { greetingTimeoutMs: timeoutMs });
    return await serveRelay(context, farEnd, parseNearEnd(options.listen), { greetingTimeoutMs: timeoutMs });
  },
});
