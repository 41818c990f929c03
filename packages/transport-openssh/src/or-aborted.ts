import { abortedError } from '@viassh/core';

/** What `waiting` comes to. What it waited for goes on. @throws ViasshError ABORTED as soon as the signal says so */
export async function orAborted<T>(waiting: T | Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(abortedError(signal?.reason));
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  try {
    return await Promise.race([waiting, aborted]);
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}
