import type { Socket } from 'node:net';
import type { LogBook } from './log-book.ts';

/** Writes the lines of a log to a client, then those that come, if it follows. One that does not read misses lines. */
export async function tellLog(
  logs: LogBook,
  { name, follow }: { readonly name: string | undefined; readonly follow: boolean },
  socket: Socket,
  signal: AbortSignal,
): Promise<void> {
  let missed = 0;
  const tell = (line: string): void => {
    if (socket.writableNeedDrain) {
      missed += 1;
      return;
    }
    if (missed > 0) socket.write(`(${missed} lines were left out: nobody read them)\n`);
    missed = 0;
    socket.write(`${line}\n`);
  };
  socket.write(
    logs
      .lines(name)
      .map((line) => `${line}\n`)
      .join(''),
  );
  if (!follow || signal.aborted) return;
  using _following = logs.follow(name, tell);
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  socket.once('end', resolve).once('close', resolve).resume();
  await promise;
}
