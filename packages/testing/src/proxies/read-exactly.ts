import { once } from 'node:events';
import type { Readable } from 'node:stream';

/** The next `length` bytes; what comes after stays in the stream. @throws Error when it ends before */
export async function readExactly(stream: Readable, length: number): Promise<Buffer> {
  for (;;) {
    const bytes = length === 0 ? Buffer.alloc(0) : (stream.read(length) as Buffer | null);
    if (bytes !== null && bytes.length === length) return bytes;
    if (bytes !== null || stream.readableEnded || stream.destroyed) throw new Error('it ended in the middle');
    await Promise.race([once(stream, 'readable'), once(stream, 'end'), once(stream, 'close')]);
  }
}
