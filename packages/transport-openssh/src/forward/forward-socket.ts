import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { occupyDescriptor } from '@viassh/core';

/** A Unix socket of ours on which the master delivers the channels of one forward. */
export interface ForwardSocket {
  readonly path: string;
  /** Accepts no more, after what has already arrived; takes the file away. */
  close(): Promise<void>;
}

/**
 * Listens, in a folder that is ours alone.
 *
 * @throws the system's error, `EADDRINUSE` when the file is there
 */
export async function listenForForward(path: string, onSocket: (socket: Socket) => void): Promise<ForwardSocket> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    socket.on('error', () => undefined).once('close', occupyDescriptor());
    onSocket(socket);
  });
  server.on('error', () => undefined); // accept(2) without a free descriptor: that connection fails, the next may not
  await once(server.listen(path), 'listening');
  return {
    path,
    close: async () => {
      await turn(); // what the kernel has queued is accepted first
      server.close();
      await rm(path, { force: true });
    },
  };
}
