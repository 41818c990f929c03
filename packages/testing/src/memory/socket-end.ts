import { once } from 'node:events';
import { connect, type NetConnectOpts } from 'node:net';
import { ViasshError } from '@viassh/core';
import type { FarEnd } from './far-end.ts';

/**
 * Dials for a direct-tcpip or direct-streamlocal channel, for real, from this machine.
 *
 * @throws ViasshError CHANNEL_REFUSED
 */
export async function dialFarSocket(target: NetConnectOpts, shown: string): Promise<FarEnd> {
  const socket = connect({ ...target, allowHalfOpen: true });
  try {
    await once(socket, 'connect');
  } catch (error) {
    throw new ViasshError('CHANNEL_REFUSED', `the server could not connect to ${shown}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  socket.on('error', () => undefined); // a reset is an end
  return {
    input: socket,
    output: socket,
    done: new Promise<void>((resolve) => socket.once('close', () => resolve())),
    close: () => socket.destroy(),
  };
}
