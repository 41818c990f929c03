import type { Readable } from 'node:stream';
import { abortedError, toViasshError } from '../errors/viassh-error.ts';

/** How waiting for a head ended; `seen` is what came instead of one. */
export type HeadOutcome<T> =
  | { readonly kind: 'head'; readonly head: T; readonly seen: Buffer }
  | { readonly kind: 'ended' | 'timeout'; readonly seen: Buffer };

/** How long to wait. */
export interface HeadOptions {
  readonly deadline: AbortSignal;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Waits until `read` makes something of the first bytes of a stream: it gets all that came so far, and gives `undefined`
 * while it needs more. What was read is put back then: whoever reads the stream next gets every byte from the first. No
 * more is held than `read` asks for, and one chunk.
 *
 * @throws ViasshError CONNECTION_LOST and whatever else destroyed the stream; ABORTED. The stream is then closed.
 */
export function awaitHead<T>(
  stream: Readable,
  read: (bytes: Buffer) => T | undefined,
  { deadline, signal }: HeadOptions,
): Promise<HeadOutcome<T>> {
  return new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0);
    const settle = (settleNow: () => void): void => {
      stream.off('readable', onReadable).off('end', onEnd).off('close', onEnd).off('error', onError);
      deadline.removeEventListener('abort', onDeadline);
      signal?.removeEventListener('abort', onAbort);
      settleNow();
    };
    const onReadable = (): void => {
      for (let chunk = stream.read() as Buffer | null; chunk !== null; chunk = stream.read() as Buffer | null) {
        seen = Buffer.concat([seen, chunk]);
        const head = read(seen);
        if (head === undefined) continue;
        stream.unshift(seen);
        return settle(() => resolve({ kind: 'head', head, seen }));
      }
    };
    const onEnd = (): void => settle(() => resolve({ kind: 'ended', seen }));
    const onDeadline = (): void => settle(() => resolve({ kind: 'timeout', seen }));
    const onError = (error: unknown): void => settle(() => reject(toViasshError(error, 'CONNECTION_LOST')));
    const onAbort = (): void => {
      stream.destroy();
      settle(() => reject(abortedError(signal?.reason)));
    };
    stream.on('readable', onReadable).once('end', onEnd).once('close', onEnd).once('error', onError);
    deadline.addEventListener('abort', onDeadline, { once: true });
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    else if (stream.errored !== null && stream.errored !== undefined) onError(stream.errored);
    else if (stream.readableEnded || stream.destroyed) onEnd();
    else if (deadline.aborted) onDeadline();
  });
}
