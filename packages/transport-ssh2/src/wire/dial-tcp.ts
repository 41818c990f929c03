import { connect, isIPv6, type Socket } from 'node:net';
import { abortedError, type ResolvedDestination } from '@viassh/core';
import { translateDialError } from '../translate-error.ts';
import { streamWire, type Wire } from './wire.ts';

/** How long one address of several may take before the next is tried. Node's own 250 ms is less than a far round trip. */
const NEXT_ADDRESS_MS = 5000;

/**
 * Dials the host itself.
 *
 * @throws ViasshError HOST_NOT_FOUND, CONNECTION_REFUSED, HOST_UNREACHABLE, CONNECT_TIMEOUT, ABORTED
 */
export function dialTcp(hop: ResolvedDestination, signal: AbortSignal): Promise<Wire> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(abortedError(signal.reason));
    const socket = connect({
      host: hop.hostName,
      port: hop.port,
      family: familyOf(hop),
      localAddress: hop.bindAddress,
      noDelay: true,
      keepAlive: hop.raw.get('tcpkeepalive')?.[0] !== 'no',
      autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS,
    });
    const settle = (outcome: () => void): void => {
      socket.off('error', onError).off('connect', onConnect);
      signal.removeEventListener('abort', onAbort);
      outcome();
    };
    const onError = (error: Error): void => settle(() => reject(translateDialError(error, hop)));
    const onConnect = (): void => settle(() => resolve(streamWire(withErrorListener(socket))));
    const onAbort = (): void =>
      settle(() => {
        withErrorListener(socket).destroy();
        reject(abortedError(signal.reason));
      });
    socket.once('error', onError).once('connect', onConnect);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

function familyOf({ addressFamily, bindAddress }: ResolvedDestination): 0 | 4 | 6 {
  if (addressFamily === 'inet') return 4;
  if (addressFamily === 'inet6') return 6;
  return bindAddress === undefined ? 0 : isIPv6(bindAddress) ? 6 : 4;
}

function withErrorListener(socket: Socket): Socket {
  return socket.on('error', () => undefined);
}
