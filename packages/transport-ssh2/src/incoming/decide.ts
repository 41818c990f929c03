import { type IncomingChannel, type IncomingChannelHandler, openFailure, ViasshError } from '@viassh/core';
import type { ChannelHost } from '../channel-host.ts';
import type { RawServerOpening } from '../ssh2-private/server-opening.ts';
import { acceptChannel } from './accept-channel.ts';

/** Has the handler decide on what the server wants to open; what it leaves undecided is refused. */
export async function decide(
  opening: RawServerOpening,
  handler: IncomingChannelHandler,
  host: ChannelHost,
): Promise<void> {
  const { srcIP, srcPort } = opening.fields;
  let decided = false;
  const incoming: IncomingChannel = {
    type: opening.type,
    originator: srcIP === undefined || srcPort === undefined ? undefined : { address: srcIP, port: srcPort },
    accept() {
      if (decided) throw new ViasshError('CHANNEL_REFUSED', `this ${opening.type} channel was decided on before`);
      decided = true;
      return acceptChannel(opening, host);
    },
    refuse(message = '') {
      if (decided) return;
      decided = true;
      opening.refuse(openFailure.connectFailed, message);
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
