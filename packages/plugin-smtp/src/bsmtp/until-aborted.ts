import type { Readable } from 'node:stream';
import { abortedError, ViasshError } from '@viassh/core';

/**
 * What a stream gives, until the signal aborts. The stream is left to its owner.
 *
 * @throws ViasshError ABORTED; STREAM_FAILED when reading fails, or the stream is closed before its end
 */
export async function* untilAborted(input: Readable, signal: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  const onAbort = (): void => reject(abortedError(signal.reason));
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  const chunks = input.iterator({ destroyOnReturn: false });
  try {
    for (;;) {
      const next = chunks.next().catch((cause: unknown) => {
        throw new ViasshError('STREAM_FAILED', `reading the input failed: ${(cause as Error).message}`, { cause });
      });
      const { done, value } = await Promise.race([promise, next]);
      if (done === true) return;
      yield value as Buffer;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
