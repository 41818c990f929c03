import {
  type Channel,
  type IncomingChannel,
  type IncomingChannelHandler,
  type Originator,
  ViasshError,
} from '@viassh/core';

/** A channel that the far end wants to open, as the broker tells it. */
export interface LeaseOffer {
  readonly type: string;
  readonly originator: Originator | undefined;
  /** Undefined: it came through no forward. */
  readonly forward: number | undefined;
  readonly brokerWindow: number;
}

/** The body of an `incoming` frame. @throws ViasshError PROTOCOL_ERROR */
export function readOffer(body: Readonly<Record<string, unknown>>): LeaseOffer {
  const { type, originator, forward, window } = body;
  if (typeof type !== 'string' || typeof window !== 'number')
    throw new ViasshError('PROTOCOL_ERROR', 'the broker offered a channel in a form that is not known');
  return {
    type,
    originator: (originator ?? undefined) as Originator | undefined,
    forward: typeof forward === 'number' ? forward : undefined,
    brokerWindow: window,
  };
}

/** What may become of an offer; one of the two is called, once. */
export interface LeaseDecision {
  readonly accept: () => Channel;
  readonly refuse: (message: string) => void;
}

/** Has the handler decide; what it leaves undecided is refused. Never rejects. */
export async function decide(
  { type, originator }: LeaseOffer,
  handler: IncomingChannelHandler,
  decision: LeaseDecision,
): Promise<void> {
  let decided = false;
  const incoming: IncomingChannel = {
    type,
    originator,
    accept() {
      if (decided) throw new ViasshError('CHANNEL_REFUSED', `this ${type} channel was decided on before`);
      decided = true;
      return decision.accept();
    },
    refuse(message = '') {
      if (decided) return;
      decided = true;
      decision.refuse(message);
    },
  };
  try {
    await handler(incoming);
  } catch {
    // the channel is refused: that is all that becomes of it
  } finally {
    incoming.refuse();
  }
}
