import { fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';

/**
 * Standard output or error as a stream that never blocks the process: Node's own writes to a pipe wait in write(2) for a
 * reader, and a signal that should end us would wait with them. Files and terminals keep Node's.
 */
export function openOutput(fd: 1 | 2, usual: Writable): Writable {
  const kind = fstatSync(fd);
  return kind.isFIFO() || kind.isSocket() ? new Socket({ fd, readable: false, writable: true }) : usual;
}

/** Resolves when all that was written has left the process, or cannot leave it any more. */
export async function flushed(output: Writable): Promise<void> {
  if (output.destroyed || !output.writable) return;
  await new Promise<void>((resolve) => {
    output.once('error', () => resolve()).once('close', () => resolve());
    output.write('', () => resolve());
  });
}
