import { abortedError, type SessionChannel, type SessionRequest, ViasshError } from '@viassh/core';
import type { Ssh2SessionChannel } from './ssh2-session-channel.ts';

/**
 * Sends env, pty and the request on a fresh session channel. When it does not come to that, the channel is closed.
 *
 * @throws ViasshError REQUEST_REFUSED, ABORTED or the signal's own reason
 */
export async function startSession(
  channel: Ssh2SessionChannel,
  request: SessionRequest,
): Promise<SessionChannel> {
  const { signal, pty } = request;
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(abortedError(signal?.reason));
  aborted.promise.catch(() => undefined);
  try {
    if (signal?.aborted === true) throw abortedError(signal.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    for (const [name, value] of Object.entries(request.env ?? {}))
      channel.requests.env(name, value);
    if (pty !== undefined && !(await Promise.race([channel.requests.pty(pty), aborted.promise])))
      throw refused('a terminal', 'the account may have no-pty, or sshd_config PermitTTY no');
    if (!(await Promise.race([channel.requests.start(request), aborted.promise])))
      throw refused(describe(request), hintFor(request));
    return channel;
  } catch (error) {
    channel.destroy();
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

function describe(request: SessionRequest): string {
  if (request.kind === 'exec') return 'the command';
  return request.kind === 'shell' ? 'a shell' : `the subsystem ${request.subsystem}`;
}

function hintFor(request: SessionRequest): string {
  if (request.kind === 'subsystem') return `sshd_config there has no line: Subsystem ${request.subsystem}`;
  return 'the account may be allowed to forward only, or its shell is missing';
}

function refused(what: string, hint: string): ViasshError {
  return new ViasshError('REQUEST_REFUSED', `the server refused ${what}`, { hint });
}
