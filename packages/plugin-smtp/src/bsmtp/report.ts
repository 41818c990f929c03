import { sanitize, type ViasshError } from '@viassh/core';
import type { DeliveryResult } from '../dialogue/delivery.ts';
import type { BatchItem } from './batch.ts';

/** For a mail server that returns it to the sender: a line for each recipient whose message was not accepted. */
export function textReport(results: readonly DeliveryResult[]): string {
  const lines = results
    .filter(({ outcome }) => outcome !== 'accepted')
    .flatMap(({ recipients }) => recipients.map(({ address, reason }) => `<${sanitize(address)}>: ${reason}\n`));
  return lines.join('');
}

/** What `--json` shows, whatever happened. */
export interface BsmtpReport {
  readonly exitCode: number;
  /** The file with what was not accepted, when there is some. */
  readonly rest: string | undefined;
  /** What was wrong beside single messages. */
  readonly error: { readonly code: string; readonly message: string } | undefined;
  /** In the order of the batch. */
  readonly messages: readonly (Pick<DeliveryResult, 'outcome'> & {
    readonly from: string;
    readonly recipients: readonly BsmtpRecipientReport[];
  })[];
}

/** One recipient there; `code` and `enhanced` are of the server's answer. */
export interface BsmtpRecipientReport {
  readonly address: string;
  readonly outcome: string;
  readonly phase: string;
  readonly code: number | undefined;
  readonly enhanced: string | undefined;
  readonly reason: string;
}

/** As one line of JSON. */
export function jsonReport(
  items: readonly BatchItem[],
  results: readonly DeliveryResult[],
  { exitCode, rest, error }: { readonly exitCode: number; readonly rest?: string; readonly error?: ViasshError },
): string {
  const report: BsmtpReport = {
    exitCode,
    rest,
    error: error === undefined ? undefined : { code: error.code, message: error.message },
    messages: results.map(({ outcome, recipients }, index) => ({
      from: items[index]?.from ?? '',
      outcome,
      recipients: recipients.map(({ address, outcome: own, phase, reply, reason }) => ({
        address,
        outcome: own,
        phase,
        code: reply?.code,
        enhanced: reply?.enhanced,
        reason,
      })),
    })),
  };
  return `${JSON.stringify(report)}\n`;
}
