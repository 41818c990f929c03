import {
  type Channel,
  type IncomingChannel,
  type IncomingChannelHandler,
  type Originator,
  ViasshError,
} from '@viassh/core';

/** A channel that the far end wants to open, before anybody has decided. */
export interface Offer {
  readonly type: string;
  readonly originator?: Originator | undefined;
  readonly accept: () => Channel;
  readonly refuse: () => void;
}

/**
 * Has a handler decide. Without one, undecided, or when it throws, the channel is refused; one that it took before it
 * threw is closed. Never rejects.
 */
export async function decide(offer: Offer, handler: IncomingChannelHandler | undefined): Promise<void> {
  let decided = false;
  let taken: Channel | undefined;
  const once = (): void => {
    if (decided) throw new ViasshError('INTERNAL', `this ${offer.type} channel was decided on before`);
    decided = true;
  };
  const incoming: IncomingChannel = {
    type: offer.type,
    originator: offer.originator,
    accept() {
      once();
      return (taken = offer.accept());
    },
    refuse() {
      once();
      offer.refuse();
    },
  };
  try {
    await handler?.(incoming);
  } catch {
    taken?.destroy();
  }
  if (decided) return;
  decided = true;
  offer.refuse();
}
