import { abortedError, type Clock, type ViasshError } from '@viassh/core';

/** How long something may take. */
export interface TimeLimit {
  readonly clock: Clock;
  readonly ms: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Gives `work` a signal that is aborted, with `late()` or the reason of the outer signal, when the time is over. `work` ends
 * then with the reason of that signal.
 */
export async function within<T>(
  { clock, ms, signal }: TimeLimit,
  late: () => ViasshError,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (signal?.aborted === true) throw abortedError(signal.reason);
  const limit = new AbortController();
  const onAbort = (): void => limit.abort(abortedError(signal?.reason));
  const timer = clock.setTimeout(() => limit.abort(late()), ms);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await work(limit.signal);
  } finally {
    clock.clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}
