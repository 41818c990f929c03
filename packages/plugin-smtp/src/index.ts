export { smtpPlugin } from './smtp-plugin.ts';
export { openSmtp, type SmtpClient, type SmtpOptions } from './dialogue/smtp-client.ts';
export { ContentMeasure } from './dialogue/content-measure.ts';
export { ContentSpool } from './dialogue/content-spool.ts';
export type {
  DeliveryOutcome,
  DeliveryPhase,
  DeliveryResult,
  Envelope,
  EnvelopeRecipient,
  RecipientResult,
  SmtpReply,
} from './dialogue/delivery.ts';
