import type { EnvelopeRecipient } from '../dialogue/delivery.ts';

/** One message of a batch of SMTP (RFC 2442), as it was read. */
export interface BatchItem {
  readonly from: string;
  /** Of MAIL, as in the batch. */
  readonly parameters: readonly string[];
  readonly recipients: readonly EnvelopeRecipient[];
  /** Where its content is in the spool: without dot-stuffing, its line ends as they were. */
  readonly start: number;
  readonly end: number;
  /** As DATA sends it, RFC 1870 §5. */
  readonly octets: number;
  readonly eightBit: boolean;
}

/** A whole batch. */
export interface Batch {
  /** Of its first HELO or EHLO, where it has one. */
  readonly name: string | undefined;
  readonly items: readonly BatchItem[];
}
