import type { Channel, IncomingChannel, IncomingChannelHandler, Originator } from '@viassh/core';

/** An open request of the far end, or what stands for one. */
export interface Offer {
  readonly type: string;
  readonly originator?: Originator | undefined;
  accept(): Channel;
  refuse(message?: string): void;
}

/**
 * Puts one channel to its handler. What is undecided when the handler is through is refused, and so is the channel of one
 * that throws; of two decisions the first counts, and a second `accept()` gives the same channel.
 */
export function offerChannel(offer: Offer, handler: IncomingChannelHandler): void {
  let accepted: Channel | undefined;
  let refused = false;
  const refuse = (message?: string): void => {
    if (accepted !== undefined || refused) return;
    refused = true;
    offer.refuse(message);
  };
  const incoming: IncomingChannel = {
    type: offer.type,
    originator: offer.originator,
    accept: () => {
      if (refused) throw new Error(`this ${offer.type} channel was refused already`);
      return (accepted ??= offer.accept());
    },
    refuse,
  };
  const fail = (): void => {
    if (accepted === undefined) refuse();
    else accepted.destroy();
  };
  try {
    void Promise.resolve(handler(incoming)).then(() => refuse(), fail);
  } catch {
    fail();
  }
}
