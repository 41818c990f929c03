import { close, constants, open, write } from 'node:fs';
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

/** A FIFO of ours, open until it is closed. */
export interface Fifo {
  close(): void;
}

/** A moment on the clock of `performance.now()` at which a line was read, and the one at which the read before it was. */
export interface ReadAt {
  readonly now: number;
  readonly before: number;
}

/**
 * Reads lines from a FIFO. It is opened for reading and writing, so that opening does not wait for a writer and the
 * last writer's leaving is not its end.
 */
export async function readFifoLines(path: string, onLine: (line: string, at: ReadAt) => void): Promise<Fifo> {
  const fd = await promisify(open)(path, constants.O_RDWR | constants.O_NONBLOCK);
  const socket = new Socket({ fd, readable: true, writable: false });
  let at: ReadAt = { now: performance.now(), before: performance.now() };
  socket.on('error', () => undefined).on('data', () => (at = { now: performance.now(), before: at.now }));
  createInterface({ input: socket }).on('line', (line) => onLine(line, at));
  return { close: () => void socket.destroy() };
}

/**
 * A FIFO whose readers get the lines that are written. It is held open the whole time: a reader waits for a line and
 * not in open(2), and our end, SIGKILL included, is its end of file.
 */
export async function openFifoWriter(path: string): Promise<Fifo & { writeLine(line: string): void }> {
  const fd = await promisify(open)(path, constants.O_RDWR | constants.O_NONBLOCK);
  let isOpen = true;
  return {
    writeLine: (line) => {
      if (isOpen) write(fd, `${line}\n`, () => undefined);
    },
    close: () => {
      if (isOpen) close(fd, () => undefined);
      isOpen = false;
    },
  };
}
