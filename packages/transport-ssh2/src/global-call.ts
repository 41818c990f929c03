import { abortedError } from '@viassh/core';
import type { ChannelHost } from './channel-host.ts';
import { type GlobalReply, sendGlobalRequest } from './ssh2-private/global-request.ts';
import type { Field } from './ssh2-private/payload.ts';

/** A global request and who wants it. */
export interface GlobalCall {
  readonly name: string;
  readonly fields?: readonly Field[];
  readonly signal?: AbortSignal | undefined;
  /** Synchronously with the reply, also with one that comes after the abort: then `late` is true. */
  readonly onReply?: (data: Buffer | undefined, late: boolean) => void;
}

/**
 * Sends a global request and waits for its reply; undefined: refused.
 *
 * @throws ViasshError ABORTED; when the connection ends, why it did
 */
export function globalCall(
  { client, ended }: ChannelHost,
  { name, fields = [], signal, onReply }: GlobalCall,
): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    let late = false;
    const stop = (reason: unknown): void => {
      late = true;
      forget();
      reject(abortedError(reason));
    };
    const onAbort = (): void => stop(signal?.reason);
    const onEnd = (): void => stop(ended.reason);
    const forget = (): void => {
      signal?.removeEventListener('abort', onAbort);
      ended.removeEventListener('abort', onEnd);
    };
    if (ended.aborted) return onEnd();
    if (signal?.aborted === true) return onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    ended.addEventListener('abort', onEnd, { once: true });
    const settle: GlobalReply = (data) => {
      onReply?.(data, late);
      if (late) return;
      forget();
      resolve(data);
    };
    sendGlobalRequest(client, name, fields, settle);
  });
}
