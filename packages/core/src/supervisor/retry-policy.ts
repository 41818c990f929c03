import type { ViasshError } from '../errors/viassh-error.ts';

/** What is known when a connection has failed. */
export interface RetrySituation {
  /** It was up before. */
  readonly established: boolean;
  /** A first failure is retried, too. */
  readonly keepTrying: boolean;
}

/**
 * May the same be tried again? Never after what somebody has to change first (a changed host key least of all); and what
 * was never up is more likely a mistake than a bad moment.
 */
export function mayRetry(error: ViasshError, { established, keepTrying }: RetrySituation): boolean {
  return error.entry.kind === 'transient' && (established || keepTrying);
}

/** What a server does to those whom it has seen too often: sshd_config(5), PerSourcePenalties and MaxStartups. */
export function isHangUp(error: ViasshError): boolean {
  return error.code === 'SERVER_CLOSED';
}
