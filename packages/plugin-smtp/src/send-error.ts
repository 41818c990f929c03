import { ViasshError } from '@viassh/core';
import type { DeliveryOutcome, RecipientResult } from './dialogue/delivery.ts';

/** A ViasshError with what nodemailer's own SMTP transport adds to its errors. */
export type SendError = ViasshError & {
  /** `550`; absent where the server gave no answer. */
  readonly responseCode?: number;
  /** The answer, with its code. */
  readonly response?: string;
  /** On the error of a whole message: its recipients, and an error for each. */
  readonly rejected?: readonly string[];
  readonly rejectedErrors?: readonly SendError[];
};

/** What became of one recipient that did not accept, as an error. */
export function sendError({ address, outcome, reply, reason }: RecipientResult): SendError {
  const [code, what, hint] = table[outcome];
  const error = new ViasshError(code, `mail for <${address}> ${what}: ${reason}`, { hint, cause: reply });
  return reply === undefined ? error : Object.assign(error, { responseCode: reply.code, response: reason });
}

const table = {
  accepted: ['INTERNAL', 'was accepted', 'report this'],
  temporary: ['SMTP_TEMPORARY', 'was put off', 'send it again later'],
  refused: ['SMTP_REFUSED', 'was refused', 'sending it again unchanged does not help'],
  unknown: ['CONNECTION_LOST', 'may have been accepted', 'sending it again may double it'],
} as const satisfies Record<DeliveryOutcome, readonly [string, string, string]>;
