import type { Socket } from 'node:net';
import { abortedError, isViasshError, listen, type NearEnd, type NearListener, type ViasshError } from '@viassh/core';
import type { ForwardBook } from './book.ts';

/**
 * Listens on a near end as ssh does: `localhost` is loopback of both families, `` and `*` every address of both; of two
 * families one that this machine has not is left out.
 *
 * @throws ViasshError LISTEN_FAILED, ABORTED
 */
export async function listenHere(
  nearEnd: NearEnd,
  onClient: (client: Socket) => void,
  { signal, book }: { readonly signal?: AbortSignal | undefined; readonly book: ForwardBook },
): Promise<NearListener> {
  const listeners: NearListener[] = [];
  const onTurnedAway = (error: ViasshError, again: boolean): void => book.turnedAway(error, again);
  const close = async (): Promise<void> => {
    await Promise.all(listeners.map((listener) => listener.close()));
  };
  try {
    for (const place of placesOf(nearEnd)) {
      const first = listeners[0];
      if (first === undefined) listeners.push(await listen(place, onClient, { signal, onTurnedAway }));
      else if (first.nearEnd.kind === 'tcp' && place.kind === 'tcp') {
        const same = { ...place, port: first.nearEnd.port };
        const second = await listen(same, onClient, { signal, onTurnedAway }).catch(unlessAborted);
        if (second !== undefined) listeners.push(second);
      }
    }
    if (signal?.aborted === true) throw abortedError(signal.reason);
  } catch (error) {
    await close();
    throw error;
  }
  const [first] = listeners;
  const address = { ...nearEnd, ...first?.nearEnd } as NearEnd;
  return { nearEnd: address, close, [Symbol.asyncDispose]: close };
}

function placesOf(nearEnd: NearEnd): NearEnd[] {
  if (nearEnd.kind !== 'tcp') return [nearEnd];
  if (nearEnd.host === 'localhost')
    return [
      { ...nearEnd, host: '127.0.0.1' },
      { ...nearEnd, host: '::1' },
    ];
  if (nearEnd.host === '' || nearEnd.host === '*')
    return [
      { ...nearEnd, host: '0.0.0.0' },
      { ...nearEnd, host: '::' },
    ];
  return [nearEnd];
}

/** As ssh: one family is enough. */
function unlessAborted(error: unknown): undefined {
  if (isViasshError(error, 'ABORTED')) throw error;
}
