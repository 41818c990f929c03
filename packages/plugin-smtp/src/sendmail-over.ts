import { hostname } from 'node:os';
import { callbackify } from 'node:util';
import { type Connection, type FarEnd, type Logger, silentLogger, ViasshError } from '@viassh/core';
import type { DeliveryResult } from './dialogue/delivery.ts';
import { openSmtp, type SmtpClient } from './dialogue/smtp-client.ts';
import { type MailerMessage, readMailerMessage } from './mailer-message.ts';
import { openGreeted } from './open-greeted.ts';
import { type SendError, sendError } from './send-error.ts';
import { type SmtpFarEnd, smtpFarEnd } from './smtp-far-end.ts';

/** How mail goes out: where the SMTP server is, and how it is spoken with. */
export interface SendmailOptions extends SmtpFarEnd {
  /** Ours, for EHLO. Default: this machine's name, as nodemailer takes it. */
  readonly name?: string | undefined;
  /** How long each answer may take, the greeting too. Default: 300 s, RFC 5321 §4.5.3.2. */
  readonly answerTimeoutMs?: number | undefined;
  /** Ends what is being sent, and refuses what comes after. */
  readonly signal?: AbortSignal | undefined;
  /** Gets the dialogue as `info`, without the messages. */
  readonly log?: Logger | undefined;
}

/** What nodemailer's `sendMail` resolves to. */
export interface SentMail {
  readonly envelope: { readonly from: string | false; readonly to: readonly string[] };
  readonly messageId: string;
  readonly accepted: readonly string[];
  readonly rejected: readonly string[];
  /** One for each of `rejected`. */
  readonly rejectedErrors?: readonly SendError[];
  /** The server's last word on the message: `250 2.0.0 queued as …`. */
  readonly response: string;
}

/** A transport plugin of nodemailer: `createTransport(sendmailOver(connection))`. */
export interface MailerTransport {
  readonly name: string;
  readonly version: string;
  /** One SMTP session for each message. What the server answered is a {@link SendError}. */
  send(mail: MailerMessage, callback: (error: Error | null, info: SentMail) => void): void;
  /** Resolves when the SMTP server greets us and answers EHLO. */
  verify(callback: (error: Error | null, success: true) => void): void;
  verify(): Promise<true>;
}

const GREETING_MS = 300_000; // RFC 5321 §4.5.3.2.1

/**
 * Mail of nodemailer through an SMTP server of the far end. What some recipients accept is delivered to those, and the
 * others are in `rejected`, as nodemailer does it; when nobody accepts it, it is an error. The connection is the caller's
 * to close.
 *
 * @throws ViasshError OPTION_INVALID. Sending fails with SMTP_REFUSED, SMTP_TEMPORARY, SMTP_PROTOCOL, SMTP_TIMEOUT,
 * CONNECTION_LOST (the message may have arrived), CHANNEL_REFUSED, REQUEST_REFUSED, ABORTED
 */
export function sendmailOver(
  connection: Pick<Connection, 'openSession' | 'openDirectTcpip' | 'openDirectStreamlocal'>,
  options: SendmailOptions = {},
): MailerTransport {
  const farEnd = smtpFarEnd(options);
  const open = (): Promise<SmtpClient> => openClient(connection, farEnd, options);
  return {
    name: 'viassh',
    version: '0.1.0',
    send: callbackify(async (mail: MailerMessage) => await send(mail, open)),
    verify: ((callback?: (error: Error | null, success: true) => void) =>
      callback === undefined
        ? verify(open)
        : callbackify(async () => await verify(open))(callback)) as MailerTransport['verify'],
  };
}

async function openClient(
  connection: Parameters<typeof sendmailOver>[0],
  farEnd: FarEnd,
  { name = ownName(), answerTimeoutMs, signal, log = silentLogger }: SendmailOptions,
): Promise<SmtpClient> {
  const { channel } = await openGreeted(connection, farEnd, { timeoutMs: answerTimeoutMs ?? GREETING_MS, signal, log });
  return await openSmtp(channel, { name, signal, answerTimeoutMs, log });
}

/** RFC 5321 §4.1.3: a name that is not qualified is none, an address is. */
function ownName(): string {
  const name = hostname();
  return name.includes('.') ? name : '[127.0.0.1]';
}

async function verify(open: () => Promise<SmtpClient>): Promise<true> {
  await (await open()).quit();
  return true;
}

async function send(mail: MailerMessage, open: () => Promise<SmtpClient>): Promise<SentMail> {
  const { envelope, messageId, content, given } = readMailerMessage(mail);
  if (envelope.recipients.length === 0) {
    throw new ViasshError('OPTION_INVALID', 'the message has no recipient', {
      hint: 'give it to, cc or bcc, or an envelope of its own',
    });
  }
  const client = await open();
  let result: DeliveryResult;
  try {
    result = await client.deliver(envelope, content, { partial: 'deliver' });
  } finally {
    await client.quit();
  }
  const accepted = result.recipients.filter(({ outcome }) => outcome === 'accepted');
  const others = result.recipients.filter(({ outcome }) => outcome !== 'accepted');
  const rejected = others.map(({ address }) => address);
  const rejectedErrors = others.map(sendError);
  const decisive = rejectedErrors[others.findIndex(({ outcome }) => outcome === result.outcome)] ?? rejectedErrors[0];
  if (accepted.length === 0 && decisive !== undefined)
    throw Object.assign(result.failure ?? decisive, { rejected, rejectedErrors });
  return {
    envelope: given,
    messageId,
    accepted: accepted.map(({ address }) => address),
    rejected,
    ...(rejected.length === 0 ? {} : { rejectedErrors }),
    response: accepted[0]?.reason ?? '',
  };
}
