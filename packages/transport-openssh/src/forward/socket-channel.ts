import type { Socket } from 'node:net';
import type { IsAlive } from './local-inbound.ts';
import { StreamChannel } from './stream-channel.ts';

/** A channel that the master joined to a Unix socket of ours (made with `allowHalfOpen`). */
export function socketChannel(type: string, socket: Socket, isAlive: IsAlive, onGone: () => void): StreamChannel {
  keepReadable(socket);
  const channel = new StreamChannel({ type, input: socket, output: socket, isAlive, onGone });
  if (socket.destroyed) channel.destroy();
  else socket.once('close', () => void channel.farEndClosed());
  return channel;
}

/**
 * A far end that answers and closes while we still write: net destroys a socket whose write fails, and with it the answer
 * that waits to be read. So a failed write counts as done; the end of what is read tells the rest.
 */
function keepReadable(socket: Socket): void {
  const write = socket._write.bind(socket);
  const writev = socket._writev?.bind(socket);
  socket._write = (chunk, encoding, done) => write(chunk, encoding, () => done());
  if (writev !== undefined) socket._writev = (chunks, done) => writev(chunks, () => done());
}
