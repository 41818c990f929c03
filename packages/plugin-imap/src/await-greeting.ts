import type { Readable } from 'node:stream';
import { abortedError, toViasshError } from '@viassh/core';
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
export function awaitGreeting(
  channel: Readable,
  words: GreetingWords,
  deadline: AbortSignal,
  signal?: AbortSignal,
): Promise<GreetingOutcome> {
  return new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0);
    const settle = (settleNow: () => void): void => {
      channel.off('readable', onReadable).off('end', onEnd).off('close', onEnd).off('error', onError);
      deadline.removeEventListener('abort', onDeadline);
      signal?.removeEventListener('abort', onAbort);
      settleNow();
    };
    const onReadable = (): void => {
      for (let chunk = channel.read() as Buffer | null; chunk !== null; chunk = channel.read() as Buffer | null) {
        seen = Buffer.concat([seen, chunk]);
        const greeting = readGreeting(seen, words);
        if (greeting === undefined) continue;
        channel.unshift(seen);
        return settle(() => resolve({ kind: 'greeting', greeting }));
      }
    };
    const onEnd = (): void => settle(() => resolve({ kind: 'ended', seen }));
    const onDeadline = (): void => settle(() => resolve({ kind: 'timeout', seen }));
    const onError = (error: unknown): void => settle(() => reject(toViasshError(error, 'CONNECTION_LOST')));
    const onAbort = (): void => {
      channel.destroy();
      settle(() => reject(abortedError(signal?.reason)));
    };
    channel.on('readable', onReadable).once('end', onEnd).once('close', onEnd).once('error', onError);
    deadline.addEventListener('abort', onDeadline, { once: true });
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    else if (channel.errored !== null && channel.errored !== undefined) onError(channel.errored);
    else if (channel.readableEnded || channel.destroyed) onEnd();
    else if (deadline.aborted) onDeadline();
  });
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
