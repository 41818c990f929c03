import { abortedError, requestRefused, type SessionChannel, type SessionRequest, type ViasshError } from '@viassh/core';
import type { DebugMessages } from '../ssh2-private/debug-messages.ts';
import { translateX11Refusal } from '../translate-error.ts';
import type { Ssh2SessionChannel } from './ssh2-session-channel.ts';

/** What a session asks for besides what its request says. */
export interface SessionExtras {
  /** ForwardAgent: the far end may use our agent. */
  readonly forwardAgent: boolean;
  /** The x11-req is on its way: X11 channels may come. */
  readonly onX11: () => void;
  /** Listens to what the server says beside its answers. */
  readonly hear: () => DebugMessages;
}

/**
 * Sends env, pty, x11-req, the agent's and the request itself on a fresh session channel, all in one go, and judges the
 * answers then. When one is refused, or it was aborted, the channel is closed.
 *
 * @throws ViasshError REQUEST_REFUSED, X11_REFUSED, ABORTED or the signal's own reason
 */
export async function startSession(
  channel: Ssh2SessionChannel,
  request: SessionRequest,
  { forwardAgent, onX11, hear }: SessionExtras,
): Promise<SessionChannel> {
  const { signal, pty, x11 } = request;
  const { requests } = channel;
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(abortedError(signal?.reason));
  aborted.promise.catch(() => undefined);
  using heard = x11 === undefined ? undefined : hear();
  try {
    if (signal?.aborted === true) throw abortedError(signal.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    for (const [name, value] of Object.entries(request.env ?? {})) requests.env(name, value);
    const answers: (readonly [Parameters<typeof requestRefused>[1], Promise<boolean>])[] = [];
    if (pty !== undefined) answers.push(['pty', requests.pty(pty)]);
    if (x11 !== undefined) {
      answers.push(['x11', requests.x11(x11)]);
      onX11();
    }
    if (forwardAgent) requests.agentForwarding();
    answers.push(['request', requests.start(request)]);
    for (const [what, accepted] of answers) {
      if (!(await Promise.race([accepted, aborted.promise]))) throw refused(request, what, heard?.said);
    }
    return channel;
  } catch (error) {
    channel.destroy();
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

function refused(
  request: SessionRequest,
  what: Parameters<typeof requestRefused>[1],
  said: readonly string[] = [],
): ViasshError {
  return what === 'x11' ? translateX11Refusal(request, said) : requestRefused(request, what);
}
