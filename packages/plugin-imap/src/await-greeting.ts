import type { Readable } from 'node:stream';
import { awaitHead } from '@viassh/core';
import { type Greeting, type GreetingWords, readGreeting } from './greeting.ts';

/** How waiting for the greeting ended; `seen` is what came without a line end. */
export type GreetingOutcome =
  | { readonly kind: 'greeting'; readonly greeting: Greeting }
  | { readonly kind: 'ended'; readonly seen: Buffer }
  | { readonly kind: 'timeout'; readonly seen: Buffer };

/**
 * Waits for the first line of a channel. All that was read is put back: whoever reads the channel next gets every byte
 * from the first. Never more than one line's bound and one chunk are held.
 *
 * @throws ViasshError CONNECTION_LOST and whatever else destroyed the channel; ABORTED. The channel is then closed.
 */
export async function awaitGreeting(
  channel: Readable,
  words: GreetingWords,
  deadline: AbortSignal,
  signal?: AbortSignal,
): Promise<GreetingOutcome> {
  const outcome = await awaitHead(channel, (bytes) => readGreeting(bytes, words), { deadline, signal });
  return outcome.kind === 'head'
    ? { kind: 'greeting', greeting: outcome.head }
    : { kind: outcome.kind, seen: outcome.seen };
}

/** A signal that aborts after `ms`, and the way to be rid of its timer. */
export function startDeadline(ms: number): { readonly signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), ms);
  return { signal: controller.signal, stop: () => clearTimeout(timer) };
}

/** `promise`, or `undefined` once one of `signals` aborts. */
export async function unlessAborted<T>(
  promise: Promise<T>,
  ...signals: readonly AbortSignal[]
): Promise<T | undefined> {
  const any = AbortSignal.any([...signals]);
  let stop: (() => void) | undefined;
  const aborted = new Promise<undefined>((resolve) => {
    const onAbort = (): void => resolve(undefined);
    stop = () => any.removeEventListener('abort', onAbort);
    if (any.aborted) onAbort();
    else any.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    stop?.();
  }
}
