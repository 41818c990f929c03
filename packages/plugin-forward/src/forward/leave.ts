import type { Duplex } from 'node:stream';

/** Milliseconds of silence that somebody has, who has got all, to close their side. */
const LINGER = 30_000;

/**
 * Hands over what is written, and EOF; what still comes is read and forgotten, until the other side closes or is silent for
 * too long: closed with bytes unread, a socket of TCP takes back what its peer has not read yet.
 */
export async function leave(stream: Duplex): Promise<void> {
  if (stream.closed) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => stream.destroy(), LINGER).unref();
    const onData = (): void => void timer.refresh();
    stream.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    if (stream.writable) stream.end();
    if (!stream.destroyed) stream.on('data', onData).resume();
  });
}
