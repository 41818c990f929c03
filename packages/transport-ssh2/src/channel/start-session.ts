import { abortedError, requestRefused, type SessionChannel, type SessionRequest } from '@viassh/core';
import type { Ssh2SessionChannel } from './ssh2-session-channel.ts';

/**
 * Sends env, pty and the request on a fresh session channel. When it does not come to that, the channel is closed.
 *
 * @throws ViasshError REQUEST_REFUSED, ABORTED or the signal's own reason
 */
export async function startSession(channel: Ssh2SessionChannel, request: SessionRequest): Promise<SessionChannel> {
  const { signal, pty } = request;
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(abortedError(signal?.reason));
  aborted.promise.catch(() => undefined);
  try {
    if (signal?.aborted === true) throw abortedError(signal.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    for (const [name, value] of Object.entries(request.env ?? {})) channel.requests.env(name, value);
    if (pty !== undefined && !(await Promise.race([channel.requests.pty(pty), aborted.promise])))
      throw requestRefused(request, 'pty');
    if (!(await Promise.race([channel.requests.start(request), aborted.promise])))
      throw requestRefused(request, 'request');
    return channel;
  } catch (error) {
    channel.destroy();
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}
