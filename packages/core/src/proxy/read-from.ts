import type { Socket } from 'node:net';

/** The proxy closed the connection in the middle of its answer. */
export class ProxyClosed extends Error {}

/**
 * Reads exactly so many bytes; what comes after them stays in the socket.
 *
 * @throws ProxyClosed
 */
export async function readBytes(socket: Socket, count: number): Promise<Buffer> {
  return await readWhen(socket, () => {
    const bytes = socket.read(count) as Buffer | null; // fewer than asked for only at the end
    return bytes === null || bytes.length === count
      ? (bytes ?? undefined)
      : new ProxyClosed('it closed the connection');
  });
}

/**
 * Reads up to and with the end of a header, an empty line (RFC 9112 §2.1, a bare LF counts too: §2.2); what comes after
 * it stays in the socket. `undefined` when there is none within `most` bytes.
 *
 * @throws ProxyClosed
 */
export async function readHeader(socket: Socket, most: number): Promise<string | undefined> {
  let heard = '';
  const found = await readWhen(socket, () => {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return undefined;
    heard += chunk.toString('latin1');
    const end = /\r?\n\r?\n/.exec(heard);
    if (end !== null && end.index + end[0].length <= most) return end.index + end[0].length;
    return heard.length >= most ? 0 : undefined;
  });
  if (found === 0) return undefined;
  if (found < heard.length) socket.unshift(Buffer.from(heard.slice(found), 'latin1'));
  return heard.slice(0, found);
}

/** Calls `take` now and whenever there is more, until it has something. */
function readWhen<T>(socket: Socket, take: () => T | Error | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const settle = (outcome: () => void): void => {
      socket.off('readable', attempt).off('end', onEnd).off('close', onEnd).off('error', onError);
      outcome();
    };
    const attempt = (): void => {
      const taken = take();
      if (taken instanceof Error) settle(() => reject(taken));
      else if (taken !== undefined) settle(() => resolve(taken));
    };
    const onEnd = (): void => settle(() => reject(new ProxyClosed('it closed the connection')));
    const onError = (error: Error): void => settle(() => reject(new ProxyClosed(error.message)));
    socket.on('readable', attempt).once('end', onEnd).once('close', onEnd).once('error', onError);
    if (socket.destroyed || socket.readableEnded) onEnd();
    else attempt();
  });
}
