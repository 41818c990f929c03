import type { ViasshError } from '@viassh/core';

/** One answer of a server, RFC 5321 §4.2. */
export interface SmtpReply {
  readonly code: number;
  /** RFC 3463, where the server gives one: `5.1.1`. */
  readonly enhanced?: string | undefined;
  /** Its lines without their reply codes, joined by LF; raw. */
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

/**
 * Where the fate of a recipient was decided: by the answer to MAIL, RCPT, DATA or to the message itself (`content`).
 * `unsent`: the server was not asked, or the connection failed. `withheld`: this recipient was fine, another was not.
 */
export type DeliveryPhase = 'mail' | 'rcpt' | 'data' | 'content' | 'unsent' | 'withheld';

/** What became of one recipient. */
export interface RecipientResult {
  readonly address: string;
  readonly outcome: DeliveryOutcome;
  readonly phase: DeliveryPhase;
  /** The server's answer, that of the phase; none where there was none. */
  readonly reply?: SmtpReply | undefined;
  /** One line for people: what the server said, or why it was not asked. */
  readonly reason: string;
}

/** What became of one message. */
export interface DeliveryResult {
  /** `accepted` when all recipients are; else the one that a repetition depends on: unknown, temporary, refused. */
  readonly outcome: DeliveryOutcome;
  readonly recipients: readonly RecipientResult[];
  /** What went wrong beside the server's answers: CONNECTION_LOST, SMTP_TIMEOUT, SMTP_PROTOCOL, SMTP_TEMPORARY, ABORTED. */
  readonly failure?: ViasshError | undefined;
}

/** The outcome of several: accepted when all are, else the first of unknown, temporary, refused that is among them. */
export function worstOutcome(outcomes: readonly DeliveryOutcome[]): DeliveryOutcome {
  const order = ['unknown', 'temporary', 'refused'] as const;
  return order.find((each) => outcomes.includes(each)) ?? 'accepted';
}
