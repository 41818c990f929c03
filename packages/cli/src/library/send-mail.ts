import { callbackify } from 'node:util';
import type { Connection } from '@viassh/core';
import { loadSmtp, type MailerMessage, type MailerTransport, type SendmailOptions, type SentMail } from '../builtin.ts';

/**
 * A transport of nodemailer that sends through an SMTP server of the far end: `createTransport(sendmailOver(connection))`.
 * What some recipients accept is delivered to those, and the others are in `rejected`; when nobody accepts it, it is an
 * error. The connection is the caller's to close.
 *
 * @throws ViasshError nothing; sending fails with OPTION_INVALID, SMTP_REFUSED, SMTP_TEMPORARY, SMTP_PROTOCOL, SMTP_TIMEOUT,
 * CONNECTION_LOST (the message may have arrived), CHANNEL_REFUSED, REQUEST_REFUSED, ABORTED
 */
export function sendmailOver(
  connection: Pick<Connection, 'openSession' | 'openDirectTcpip' | 'openDirectStreamlocal'>,
  options?: SendmailOptions,
): MailerTransport {
  const load = async (): Promise<MailerTransport> => (await loadSmtp()).sendmailOver(connection, options);
  const verify = async (): Promise<true> => await (await load()).verify();
  return {
    name: 'viassh',
    version: '0.1.0',
    send: callbackify(async (mail: MailerMessage) => await sent(await load(), mail)),
    verify: ((callback?: (error: Error | null, success: true) => void) =>
      callback === undefined ? verify() : callbackify(verify)(callback)) as MailerTransport['verify'],
  };
}

function sent(transport: MailerTransport, mail: MailerMessage): Promise<SentMail> {
  return new Promise((resolve, reject) => {
    transport.send(mail, (error, info) => (error === null ? resolve(info) : reject(error)));
  });
}
