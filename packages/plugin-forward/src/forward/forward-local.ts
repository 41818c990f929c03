import { type Connection, describeFarEnd } from '@viassh/core';
import type { LocalForwardSpec } from '../spec/forward-spec.ts';
import { ForwardBook } from './book.ts';
import { carry } from './carry.ts';
import type { Forward, ForwardOptions } from './forward.ts';
import { listenHere } from './listen-here.ts';
import { openTarget, type TargetOpener } from './open-target.ts';
import { originatorOf } from './originator.ts';
import { standingForward } from './standing-forward.ts';

/**
 * `ssh -L`: each client of a near end gets a channel to the target, which the far end dials.
 *
 * @throws ViasshError LISTEN_FAILED, ABORTED
 */
export async function forwardLocal(
  connection: TargetOpener & Pick<Connection, 'closed'>,
  { listen, to }: Omit<LocalForwardSpec, 'kind'>,
  { signal, onEvent }: ForwardOptions = {},
): Promise<Forward> {
  const book = new ForwardBook('near', onEvent);
  const destination = describeFarEnd(to);
  const listener = await listenHere(
    listen,
    (client) => {
      const originator = originatorOf(client);
      const open = async (gone: AbortSignal) => ({
        channel: await openTarget(connection, to, { originator, signal: gone }),
        socket: client,
        destination,
      });
      void carry(book, { originator, client, open });
    },
    { signal, book },
  );
  return standingForward({
    connection,
    spec: { kind: 'local', listen, to },
    address: listener.nearEnd,
    book,
    stopListening: () => listener.close(),
  });
}
