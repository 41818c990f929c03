import type { Socket } from 'node:net';
import { abortedError, isViasshError, listen, type NearEnd, type NearListener, type ViasshError } from '@viassh/core';
import type { ForwardBook } from './book.ts';

/**
 * Listens on a near end as ssh does: `localhost` is loopback of both families, of which one is enough; `` and `*` are every
 * address of both.
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
  const listenOn = (place: NearEnd): Promise<NearListener> => listen(place, onClient, { signal, onTurnedAway });
  const close = async (): Promise<void> => {
    await Promise.all(listeners.map((listener) => listener.close()));
  };
  try {
    if (nearEnd.kind === 'tcp' && nearEnd.host === 'localhost') {
      const first = await listenOn({ ...nearEnd, host: '127.0.0.1' });
      listeners.push(first);
      const second = { kind: 'tcp', host: '::1', port: portOf(first.nearEnd) } as const;
      const added = await listenOn(second).catch(unlessAborted);
      if (added !== undefined) listeners.push(added);
    } else if (nearEnd.kind === 'tcp' && (nearEnd.host === '' || nearEnd.host === '*')) {
      const both = await listenOn({ ...nearEnd, host: '::' }).catch(unlessWithoutIPv6);
      listeners.push(both ?? (await listenOn({ ...nearEnd, host: '0.0.0.0' })));
    } else listeners.push(await listenOn(nearEnd));
    if (signal?.aborted === true) throw abortedError(signal.reason);
  } catch (error) {
    await close();
    throw error;
  }
  const address = nearEnd.kind === 'tcp' ? { ...nearEnd, port: portOf(listeners[0]?.nearEnd) } : nearEnd;
  return { nearEnd: address, close, [Symbol.asyncDispose]: close };
}

function portOf(nearEnd: NearEnd | undefined): number {
  return nearEnd?.kind === 'tcp' ? nearEnd.port : 0;
}

function unlessAborted(error: unknown): undefined {
  if (isViasshError(error, 'ABORTED')) throw error;
}

function unlessWithoutIPv6(error: unknown): undefined {
  const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
  if (code !== 'EAFNOSUPPORT' && code !== 'EADDRNOTAVAIL') throw error;
}
