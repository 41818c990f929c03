import type { Duplex } from 'node:stream';
import { abortedError, ViasshError } from '@viassh/core';

const NEWLINE = 0x0a;

/** How much, and how long. */
export interface LineOptions {
  /** Bytes of the longest line. */
  readonly most: number;
  /** Milliseconds that the line may take. */
  readonly withinMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads one line, without its end. What came behind it stays in the stream for who reads next; nobody may listen for
 * `data` meanwhile.
 *
 * @throws ViasshError BROKER_PROTOCOL when it is too long, late, or the stream ended before; ABORTED
 */
export async function readLine(stream: Duplex, { most, withinMs, signal }: LineOptions): Promise<string> {
  if (signal?.aborted === true) throw abortedError(signal.reason);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const parts: Buffer[] = [];
  let length = 0;
  const look = (): void => {
    for (;;) {
      const chunk = stream.read() as Buffer | null;
      if (chunk === null) return;
      const end = chunk.indexOf(NEWLINE);
      const part = end === -1 ? chunk : chunk.subarray(0, end);
      length += part.length;
      if (length > most) return reject(broken(`a line of more than ${most} bytes came`));
      parts.push(part);
      if (end === -1) continue;
      stop();
      if (end + 1 < chunk.length) stream.unshift(chunk.subarray(end + 1));
      return resolve(Buffer.concat(parts).toString('utf8'));
    }
  };
  const onEnd = (): void => reject(broken('the other side said nothing, or only half a line'));
  const onAbort = (): void => reject(abortedError(signal?.reason));
  const timer =
    withinMs === undefined ? undefined : setTimeout(() => reject(broken('no line came in time')), withinMs).unref();
  const stop = (): void => {
    clearTimeout(timer);
    stream.off('readable', look).off('end', onEnd).off('close', onEnd).off('error', onEnd);
    signal?.removeEventListener('abort', onAbort);
  };
  stream.on('readable', look).once('end', onEnd).once('close', onEnd).once('error', onEnd);
  signal?.addEventListener('abort', onAbort, { once: true });
  if (stream.destroyed || stream.readableEnded) onEnd();
  try {
    return await promise;
  } finally {
    stop();
  }
}

/** For what is not said as it should be. */
export function broken(message: string, cause?: unknown): ViasshError {
  return new ViasshError('BROKER_PROTOCOL', message, {
    hint: 'end the broker that runs and start it again with the viassh that is installed now',
    cause,
  });
}
