/** One answer of a server, RFC 5321 §4.2. */
export interface SmtpReply {
  readonly code: number;
  /** RFC 3463, where the server gives one: `5.1.1`. */
  readonly enhanced?: string | undefined;
  /** Its lines without codes, joined by LF; raw. */
  readonly text: string;
}

/** From whom and to whom, RFC 5321 §3.3; paths without their angle brackets. */
export interface Envelope {
  /** Empty: the null reverse-path of bounces. */
  readonly from: string;
  /** Of MAIL, as `BODY=8BITMIME`, `SIZE=1000`; those that the server does not offer are dropped or refused. */
  readonly parameters: readonly string[];
  readonly recipients: readonly EnvelopeRecipient[];
}

/** One RCPT. */
export interface EnvelopeRecipient {
  readonly address: string;
  readonly parameters: readonly string[];
}

/**
 * What became of a message, or of it for one recipient. `unknown`: the connection was cut when all was sent and no
 * answer was there, RFC 5321 §4.5.3.2.6, RFC 1047: it may have been accepted.
 */
export type DeliveryOutcome = 'accepted' | 'temporary' | 'refused' | 'unknown';

/** What became of one recipient. */
export interface RecipientResult {
  readonly address: string;
  readonly outcome: DeliveryOutcome;
  /** The answer that decided; none where the connection was cut, or the message itself could not be sent. */
  readonly reply?: SmtpReply | undefined;
  /** One line for people: what the server said, or why it was not asked. */
  readonly reason: string;
}

/** What became of one message. */
export interface DeliveryResult {
  /** `accepted` when all recipients are; else the one that a repetition depends on: unknown, temporary, refused. */
  readonly outcome: DeliveryOutcome;
  readonly recipients: readonly RecipientResult[];
}
