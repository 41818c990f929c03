import type { Clock, Connection, ExitStatus, Logger, ViasshError } from '@viassh/core';
import type { LinkAddress, LinkTerms, PacketCarrier } from '../carrier/packet-carrier.ts';
import type { PppCredentials } from '../ppp/ppp-session.ts';
import type { FarKind, LinkPlan } from '../plan/link-plan.ts';

/** The other end of a link, agreed with. */
export interface FarLink {
  readonly kind: FarKind;
  readonly carrier: PacketCarrier;
  readonly terms: LinkTerms;
  /** For messages: `pppd of the far end`. */
  readonly what: string;
  /** Resolves to how the program there ended, and to undefined where there is none or it does not say; never rejects. */
  ended(): Promise<ExitStatus | undefined>;
  /** Why it was lost, by what its program has said, where that says more than `error`; never rejects. */
  explain(error: ViasshError): Promise<ViasshError>;
}

/** What an other end is opened with. */
export interface FarLinkRequest {
  readonly connection: Connection;
  readonly plan: LinkPlan;
  /** Addresses for an end that has none of its own to give. */
  readonly usual: readonly LinkAddress[];
  /** Is the near end able to take packets behind a virtio_net_hdr? */
  readonly vnetHeader: boolean;
  /** Asked for when, and as often as, a far end wants a proof of who we are. */
  readonly credentials: () => Promise<PppCredentials | undefined>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Opens an other end of one kind; resolves when packets may go. @throws ViasshError that says what is missing there */
export type OpenFarLink = (request: FarLinkRequest) => Promise<FarLink>;
