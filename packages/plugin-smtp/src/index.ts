export { smtpPlugin } from './smtp-plugin.ts';
export { openSmtp, type SmtpClient, type SmtpOptions } from './dialogue/smtp-client.ts';
export type {
  DeliveryOutcome,
  DeliveryPhase,
  DeliveryResult,
  Envelope,
  EnvelopeRecipient,
  RecipientResult,
  SmtpReply,
} from './dialogue/delivery.ts';
export { type MailerTransport, type SendmailOptions, type SentMail, sendmailOver } from './sendmail-over.ts';
export type { MailerMessage } from './mailer-message.ts';
export type { SendError } from './send-error.ts';
export type { SmtpFarEnd } from './smtp-far-end.ts';
