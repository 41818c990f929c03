import { once } from 'node:events';
import { connect, type NetConnectOpts } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ChannelOpening, channelRefused, openFailure } from '@viassh/core';
import type { FarEnd } from './far-end.ts';

/**
 * Dials for a direct-tcpip or direct-streamlocal channel, for real, from this machine.
 *
 * @throws ViasshError CHANNEL_REFUSED
 */
export async function dialFarSocket(target: NetConnectOpts, opening: ChannelOpening): Promise<FarEnd> {
  const socket = connect({ ...target, allowHalfOpen: true });
  try {
    await once(socket, 'connect');
  } catch (error) {
    throw channelRefused(opening, openFailure.connectFailed, '', error);
  }
  return farEndOf(socket);
}

/** A socket, or what behaves like one, as the far side of a channel. */
export function farEndOf(socket: Duplex): FarEnd {
  socket.on('error', () => undefined); // a reset is an end
  return {
    input: socket,
    output: socket,
    done: new Promise<void>((resolve) => (socket.closed ? resolve() : socket.once('close', () => resolve()))),
    close: () => socket.destroy(),
  };
}
