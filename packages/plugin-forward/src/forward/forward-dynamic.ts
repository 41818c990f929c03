import { type Connection, describeFarEnd, toViasshError } from '@viassh/core';
import type { DestinationRules } from '../negotiate/destination-rules.ts';
import { negotiate } from '../negotiate/negotiate.ts';
import type { SocksUsers } from '../negotiate/proxy-users.ts';
import type { DynamicForwardSpec } from '../spec/forward-spec.ts';
import { ForwardBook } from './book.ts';
import { carry } from './carry.ts';
import type { Forward, ForwardOptions } from './forward.ts';
import { listenHere } from './listen-here.ts';
import { openTarget, type TargetOpener } from './open-target.ts';
import { originatorOf } from './originator.ts';
import { standingForward } from './standing-forward.ts';

/** {@link forwardDynamic}'s spec, and whom it lets go where. */
export interface DynamicForwardRequest extends Omit<DynamicForwardSpec, 'kind'> {
  readonly rules?: DestinationRules | undefined;
  readonly users?: SocksUsers | undefined;
}

/**
 * `ssh -D`, and the same in HTTP: each client of a near end says where it wants to go, and the far end dials that; names
 * are resolved there.
 *
 * @throws ViasshError LISTEN_FAILED, ABORTED
 */
export async function forwardDynamic(
  connection: TargetOpener & Pick<Connection, 'closed'>,
  { listen, protocol, rules, users }: DynamicForwardRequest,
  { signal, onEvent }: ForwardOptions = {},
): Promise<Forward> {
  const book = new ForwardBook('near', onEvent);
  const listener = await listenHere(
    listen,
    (client) => {
      const originator = originatorOf(client);
      const open = async (gone: AbortSignal) => {
        const negotiation = await negotiate(client, protocol, { rules, users, signal: gone });
        try {
          const channel = await openTarget(connection, negotiation.target, { originator, signal: gone });
          negotiation.accepted();
          return { channel, socket: client, destination: describeFarEnd(negotiation.target) };
        } catch (error) {
          negotiation.refused(toViasshError(error));
          throw error;
        }
      };
      void carry(book, { originator, client, open });
    },
    { signal, book },
  );
  return standingForward({
    connection,
    spec: { kind: 'dynamic', listen, protocol },
    address: listener.nearEnd,
    book,
    stopListening: () => listener.close(),
  });
}
