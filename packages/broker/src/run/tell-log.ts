import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { TunnelLogs } from '../log/tunnel-logs.ts';

/** Writes the lines of a log to a client, at the client's pace; then those that come, if it follows. */
export async function tellLog(
  logs: TunnelLogs,
  { name, follow }: { readonly name: string | undefined; readonly follow: boolean },
  socket: Socket,
  signal: AbortSignal,
): Promise<void> {
  const gone = new AbortController();
  const either = AbortSignal.any([signal, gone.signal]);
  socket
    .once('end', () => gone.abort())
    .once('close', () => gone.abort())
    .resume();
  try {
    for await (const line of follow ? logs.follow(name, either) : logs.lines(name))
      if (!socket.write(`${line}\n`)) await once(socket, 'drain', { signal: either });
  } catch (error) {
    if (!either.aborted) throw error;
  }
}
