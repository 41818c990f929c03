import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A client's end, and all that came to it so far. */
export interface Dialled extends Disposable {
  readonly socket: Socket;
  readonly chunks: Buffer[];
  text(): string;
  /** `end`, or the errno of how it ended; undefined while it is open. */
  ending(): string | undefined;
}

export async function dial(port: number): Promise<Dialled> {
  const chunks: Buffer[] = [];
  let ending: string | undefined;
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  socket.on('data', (bytes: Buffer) => chunks.push(bytes));
  socket.on('end', () => (ending ??= 'end')).on('error', (error) => (ending ??= (error as NodeJS.ErrnoException).code));
  await once(socket, 'connect');
  return {
    socket,
    chunks,
    text: () => Buffer.concat(chunks).toString('latin1'),
    ending: () => ending,
    [Symbol.dispose]: () => void socket.destroy(),
  };
}
