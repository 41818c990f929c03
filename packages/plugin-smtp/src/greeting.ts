import { abortedError, type Channel, toViasshError } from '@viassh/core';

/** How waiting for the greeting ended; `seen` is what came instead of one. */
export type GreetingOutcome =
  | { readonly kind: 'greeting' }
  | { readonly kind: 'noise' | 'ended' | 'timeout'; readonly seen: Buffer };

/** RFC 5321 §4.2, `Reply-line`: its head, of the codes that §4.3.2 has for a greeting, one byte each. */
const head = [/[245]/, /\d/, /\d/, /[ \-\r\n]/];

/** Whether these bytes begin as an SMTP reply does; `undefined`: more of them are needed to tell. */
export function beginsAsReply(bytes: Uint8Array): boolean | undefined {
  const start = Buffer.from(bytes.subarray(0, head.length)).toString('latin1');
  if (![...start].every((byte, index) => head[index]?.test(byte))) return false;
  return start.length === head.length ? true : undefined;
}

/** How long to wait. */
export interface GreetingOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Waits for the first bytes of a greeting. All that was read is put back: whoever reads the channel next gets every
 * byte from the first.
 *
 * @throws ViasshError CONNECTION_LOST and whatever else destroyed the channel; ABORTED. The channel is then closed.
 */
export function awaitGreeting(channel: Channel, { timeoutMs, signal }: GreetingOptions): Promise<GreetingOutcome> {
  return new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0);
    const settle = (settleNow: () => void): void => {
      clearTimeout(timer);
      channel.off('readable', onReadable).off('end', onEnd).off('close', onEnd).off('error', onError);
      signal?.removeEventListener('abort', onAbort);
      settleNow();
    };
    const onReadable = (): void => {
      for (let chunk = channel.read() as Buffer | null; chunk !== null; chunk = channel.read() as Buffer | null) {
        seen = Buffer.concat([seen, chunk]);
        const verdict = beginsAsReply(seen);
        if (verdict === undefined) continue;
        channel.unshift(seen);
        return settle(() => resolve(verdict ? { kind: 'greeting' } : { kind: 'noise', seen }));
      }
    };
    const onEnd = (): void => settle(() => resolve({ kind: 'ended', seen }));
    const onError = (error: unknown): void => settle(() => reject(toViasshError(error, 'CONNECTION_LOST')));
    const onAbort = (): void => {
      channel.destroy();
      settle(() => reject(abortedError(signal?.reason)));
    };
    const timer = setTimeout(() => settle(() => resolve({ kind: 'timeout', seen })), timeoutMs);
    channel.on('readable', onReadable).once('end', onEnd).once('close', onEnd).once('error', onError);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    else if (channel.errored !== null && channel.errored !== undefined) onError(channel.errored);
    else if (channel.readableEnded || channel.destroyed) onEnd();
  });
}
