import type { ViasshError } from '@viassh/core';
import type { DeliveryResult, RecipientResult } from '../dialogue/delivery.ts';

/** Of sysexits(3), those that this command uses. */
export const sysexits = { ok: 0, usage: 64, dataErr: 65, noUser: 67, unavailable: 69, tempFail: 75 } as const;

/**
 * The exit code for a whole batch. Who is told 75 gives all of it again, hence never when a message was accepted; but
 * where the others are kept (`rest`), it is about those alone.
 */
export function exitCodeOfResults(results: readonly DeliveryResult[], rest: boolean): number {
  const failed = results.filter(({ outcome }) => outcome !== 'accepted');
  if (failed.length === 0) return sysexits.ok;
  if (failed.length < results.length && !rest) return sysexits.unavailable;
  if (failed.some(({ outcome }) => outcome !== 'refused')) return sysexits.tempFail;
  const decisive = failed.flatMap(({ recipients }) => recipients.filter(({ phase }) => phase !== 'withheld'));
  if (decisive.every(isAboutRecipient)) return sysexits.noUser;
  if (decisive.every(({ phase }) => phase === 'content')) return sysexits.dataErr;
  return sysexits.unavailable;
}

/** The exit code when there are no results: nothing was sent. All that may be another time better is to be tried again. */
export function exitCodeOfError({ code, entry }: ViasshError): number {
  if (entry.exitCode === sysexits.usage) return sysexits.usage;
  if (code === 'BSMTP_INVALID') return sysexits.dataErr;
  return code === 'SMTP_REFUSED' ? sysexits.unavailable : sysexits.tempFail;
}

/** RFC 5321 §4.2.3 for 550, 551, 553; RFC 3463 §3.2 for 5.1.x, of which .7 and .8 are about the sender. */
function isAboutRecipient({ phase, reply }: RecipientResult): boolean {
  if (reply === undefined || reply.code < 500) return false;
  if (/^5\.1\.(?![78]$)/.test(reply.enhanced ?? '')) return true;
  return phase === 'rcpt' && [550, 551, 553].includes(reply.code);
}
