export { smtpPlugin } from './smtp-plugin.ts';
export type {
  DeliveryOutcome,
  DeliveryResult,
  Envelope,
  EnvelopeRecipient,
  RecipientResult,
  SmtpReply,
} from './dialogue/delivery.ts';
