import type { Duplex } from 'node:stream';

/** Milliseconds of silence that somebody has, who has got all, to close their side. */
const LINGER = 30_000;
/** Bytes that are forgotten for them: who goes on sending has to learn that nobody hears it. */
const MOST_FORGOTTEN = 1024 * 1024;

/** How to take leave of somebody. */
export interface LeaveOptions {
  /** Written before the end, where that is not said yet. */
  readonly lastWord?: string | undefined;
  /** Cuts it short. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Hands over what is written, and EOF; what still comes is read and forgotten, until the other side closes, is silent for
 * too long, or sends too much: closed with bytes unread, a socket of TCP takes back what its peer has not read yet. Resolves
 * when it is closed; never rejects.
 */
export async function leave(stream: Duplex, { lastWord, signal }: LeaveOptions = {}): Promise<void> {
  if (stream.closed) return;
  const drop = (): void => void stream.destroy();
  await new Promise<void>((resolve) => {
    const timer = setTimeout(drop, LINGER).unref();
    stream.once('close', () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', drop);
      resolve();
    });
    if (stream.writable) stream.end(lastWord);
    if (signal?.aborted === true) drop();
    signal?.addEventListener('abort', drop, { once: true });
    readAndForget(stream, () => void timer.refresh());
  });
}

/** Reads on and drops what comes, up to what nobody sends unaware of the end; then the stream is destroyed. */
export function readAndForget(stream: Duplex, onData?: () => void): void {
  if (stream.destroyed) return;
  let forgotten = 0;
  stream
    .on('data', (chunk: Buffer) => {
      forgotten += chunk.length;
      if (forgotten > MOST_FORGOTTEN) stream.destroy();
      else onData?.();
    })
    .resume();
}
