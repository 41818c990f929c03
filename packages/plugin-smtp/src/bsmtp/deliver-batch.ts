import { type Logger, sanitize, toViasshError, type ViasshError } from '@viassh/core';
import type { ContentSpool } from '../dialogue/content-spool.ts';
import type { DeliveryResult, Envelope } from '../dialogue/delivery.ts';
import { keywordOf } from '../dialogue/parameters.ts';
import type { SmtpClient } from '../dialogue/smtp-client.ts';
import type { Batch, BatchItem } from './batch.ts';

/** What a batch is delivered with. */
export interface DeliverBatchOptions {
  /** A session with the server, greeted. Called again when one ended and there are messages left. */
  readonly openSession: () => Promise<SmtpClient>;
  /** Called with each result, in order. */
  readonly onResult: (result: DeliveryResult) => void;
  readonly log: Logger;
}

/**
 * Delivers the messages one after the other; each has a fate of its own. A session that ends is replaced for the next
 * one, but not after a silence or an abort. Never throws.
 */
export async function deliverBatch(
  { items }: Batch,
  spool: ContentSpool,
  { openSession, onResult, log }: DeliverBatchOptions,
): Promise<void> {
  let session: SmtpClient | undefined;
  let hopeless: ViasshError | undefined;
  for (const [index, item] of items.entries()) {
    if (hopeless === undefined && session?.usable !== true) {
      try {
        session = await openSession();
      } catch (error) {
        hopeless = toViasshError(error);
      }
    }
    if (hopeless !== undefined || session === undefined) {
      onResult(undelivered(item, hopeless));
      continue;
    }
    const result = await deliverItem(session, item, spool);
    log.info(`message ${index + 1} of ${items.length}: ${result.outcome}`);
    if (result.failure !== undefined && endsAll.includes(result.failure.code)) hopeless = result.failure;
    onResult(result);
  }
  await session?.quit();
}

const endsAll: readonly string[] = ['SMTP_TIMEOUT', 'ABORTED', 'STREAM_FAILED'];

async function deliverItem(session: SmtpClient, item: BatchItem, spool: ContentSpool): Promise<DeliveryResult> {
  try {
    return await session.deliver(envelopeOf(item), spool.read(item.start, item.end), { partial: 'refuse' });
  } catch (error) {
    return undelivered(item, toViasshError(error));
  }
}

/** SIZE and BODY as the message is, whatever the batch said of it; what cannot go by DATA stays, to be refused. */
function envelopeOf({ from, parameters, recipients, octets, eightBit }: BatchItem): Envelope {
  const kept = parameters.filter((each) => !/^(?:SIZE=.*|BODY=(?:7BIT|8BITMIME))$/is.test(each));
  const ours = eightBit && !kept.some((each) => keywordOf(each) === 'BODY') ? ['BODY=8BITMIME'] : [];
  return { from, recipients, parameters: [`SIZE=${octets}`, ...ours, ...kept] };
}

/** For a message that no server was asked about. */
export function undelivered({ recipients }: BatchItem, failure?: ViasshError): DeliveryResult {
  const outcome = failure?.code === 'SMTP_REFUSED' ? 'refused' : 'temporary';
  const reason = `not sent: ${sanitize(failure?.message ?? 'there was no session')}`;
  return {
    outcome,
    recipients: recipients.map(({ address }) => ({ address, outcome, phase: 'unsent', reason })),
    failure,
  };
}
