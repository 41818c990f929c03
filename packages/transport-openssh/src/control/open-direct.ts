import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { type ChannelOpening, channelRefused, ViasshError } from '@viassh/core';
import type { IsAlive } from '../forward/local-inbound.ts';
import { isAlive } from '../forward/remote-forwards.ts';
import { socketChannel } from '../forward/socket-channel.ts';
import type { StreamChannel } from '../forward/stream-channel.ts';
import type { PrivateFolder } from '../master/private-folder.ts';
import type { ControlClient, ForwardEnd, MuxForward } from '../mux/control-client.ts';

/** What a direct channel asks for. */
export type DirectOpening = Extract<ChannelOpening, { type: 'direct-tcpip' | 'direct-streamlocal@openssh.com' }>;

/** What goes with a Buffer in place of an encoding, as Node's `_write` has it; anything else there ends the process. */
const buffer = 'buffer' as BufferEncoding;

let count = 0;

/**
 * A channel to a socket of the far end, by a forward that stands only until the master has accepted us. (`ssh -W` would know
 * of a refusal in time, but hides the far end's EOF, and takes no path.)
 *
 * The master accepts before it asks the server. So a refusal comes on the channel: where its first news would be the end,
 * and the master has let go of both ways, it is destroyed with CHANNEL_REFUSED. A far end that closes both ways without a
 * word looks the same.
 *
 * @throws ViasshError CHANNEL_REFUSED when the master itself will not, OPTION_INVALID, CONNECTION_LOST
 */
export async function openDirect(
  control: ControlClient,
  folder: PrivateFolder,
  opening: DirectOpening,
  onGone: () => void,
): Promise<StreamChannel> {
  const own = folder.file(`l${(count += 1)}`);
  const forward: MuxForward = { kind: 'local', listen: { path: own }, connect: endOf(opening) };
  const answer = await control.openForward(forward);
  if (!answer.granted) throw channelRefused(opening, undefined, answer.said);
  const socket = connect({ path: own, allowHalfOpen: true });
  socket.pause();
  const failed = noteReset(socket);
  try {
    await once(socket, 'connect');
    await control.alive(); // behind our connect: the master has accepted by now, and the forward may go
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    await control.closeForward(forward).catch(() => undefined);
    await rm(own, { force: true });
  }
  const letGo = otherEndGone(socket, failed);
  const judge: IsAlive = async () => {
    const alive = await isAlive(control);
    if (!alive || socket.bytesRead > 0 || channel.destroyed || !(await letGo())) return alive;
    channel.destroy(channelRefused(opening, undefined, 'the channel ended before a byte came'));
    return true;
  };
  const channel = socketChannel(opening.type, socket, judge, onGone);
  return channel;
}

/** @throws ViasshError OPTION_INVALID for what a control request cannot carry */
function endOf(opening: DirectOpening): ForwardEnd {
  const { type } = opening;
  const name = type === 'direct-tcpip' ? opening.host : opening.path;
  if (name === '' || name.includes('\0') || (type === 'direct-tcpip' && opening.port === 0)) {
    throw new ViasshError('OPTION_INVALID', `ssh opens no channel to ${JSON.stringify(opening)}`);
  }
  return type === 'direct-tcpip' ? { host: name, port: opening.port } : { path: name };
}

/** Bytes of ours that nobody took were there when the other end closed. */
function noteReset(socket: Socket): () => boolean {
  let reset = false;
  socket.on('error', (error: NodeJS.ErrnoException) => (reset ||= error.code === 'ECONNRESET'));
  return () => reset;
}

/** Has the other end closed both ways? A write of no bytes tells. Once we ended our way there is no telling. */
function otherEndGone(socket: Socket, reset: () => boolean): () => Promise<boolean> {
  const write = socket._write.bind(socket);
  return async () => {
    if (reset()) return true;
    if (socket.destroyed || socket.writableEnded) return false;
    return await new Promise((resolve) => write(Buffer.alloc(0), buffer, (error) => resolve(error instanceof Error)));
  };
}
