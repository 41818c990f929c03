import type { Duplex } from 'node:stream';

/** Milliseconds of silence that somebody has, who has got all, to close their side. */
const LINGER = 30_000;
/** Bytes that are forgotten for them: who goes on sending has to learn that nobody hears it. */
const MOST_FORGOTTEN = 1024 * 1024;

/**
 * Hands over what is written, and EOF; what still comes is read and forgotten, until the other side closes, is silent for
 * too long, or sends too much: closed with bytes unread, a socket of TCP takes back what its peer has not read yet.
 */
export async function leave(stream: Duplex): Promise<void> {
  if (stream.closed) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => stream.destroy(), LINGER).unref();
    let forgotten = 0;
    const onData = (chunk: Buffer): void => {
      forgotten += chunk.length;
      if (forgotten > MOST_FORGOTTEN) stream.destroy();
      else timer.refresh();
    };
    stream.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    if (stream.writable) stream.end();
    if (!stream.destroyed) stream.on('data', onData).resume();
  });
}
