import type { Socket } from 'node:net';

/**
 * Resets a connection at once. Node's own resetAndDestroy() ends the write side first, waits for what is to be written,
 * and never closes a socket that fails meanwhile: it is told not to. One whose end is just being sent cannot be reset.
 */
export function resetSocket(socket: Socket): void {
  if (socket.connecting || (socket.writableEnded && !socket.writableFinished)) {
    socket.destroy();
    return;
  }
  socket.destroySoon = () => void socket.destroy();
  socket.resetAndDestroy();
}
