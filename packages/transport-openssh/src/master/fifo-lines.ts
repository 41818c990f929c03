import { constants, open } from 'node:fs';
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

/** A FIFO of ours that is read line by line until it is closed. */
export interface FifoLines extends AsyncDisposable {
  close(): void;
}

/**
 * Reads lines from a FIFO. It is opened for reading and writing, so that opening does not wait for a writer and the
 * last writer's leaving is not its end.
 */
export async function readFifoLines(path: string, onLine: (line: string) => void): Promise<FifoLines> {
  const fd = await promisify(open)(path, constants.O_RDWR | constants.O_NONBLOCK);
  const socket = new Socket({ fd, readable: true, writable: false });
  socket.on('error', () => undefined);
  createInterface({ input: socket }).on('line', onLine);
  const close = (): void => void socket.destroy();
  return { close, [Symbol.asyncDispose]: async () => close() };
}
