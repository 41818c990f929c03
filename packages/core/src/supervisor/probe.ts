import type { Connection } from '../connection/connection.ts';
import { abortedError } from '../errors/viassh-error.ts';
import type { Clock } from './clock.ts';

/** A timer that comes so late was held up by this process itself: the answer may be here, unread. */
const LATE_MS = 250;

/** How to probe. */
export interface ProbeOptions {
  readonly clock: Clock;
  /** Milliseconds. */
  readonly limitMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sends something and waits for the answer: the round trip in milliseconds, undefined when the server leaves no way to
 * measure it, `silent` when no answer came in time.
 *
 * @throws ViasshError ABORTED; what `ping` throws
 */
export async function probe(
  connection: Pick<Connection, 'ping'>,
  { clock, limitMs, signal }: ProbeOptions,
): Promise<number | 'silent' | undefined> {
  const over = new AbortController();
  const silence = Promise.withResolvers<'silent'>();
  const onAbort = (): void => silence.reject(abortedError(signal?.reason));
  signal?.addEventListener('abort', onAbort, { once: true });
  let timer = wait((late) => {
    if (late) timer = wait(() => silence.resolve('silent'));
    else silence.resolve('silent');
  });
  function wait(then: (late: boolean) => void): ReturnType<Clock['setTimeout']> {
    const due = clock.now() + limitMs;
    const own = clock.setTimeout(() => then(clock.now() > due + LATE_MS), limitMs);
    own.unref();
    return own;
  }
  try {
    return await Promise.race([connection.ping({ signal: over.signal }), silence.promise]);
  } finally {
    clock.clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    over.abort();
  }
}
