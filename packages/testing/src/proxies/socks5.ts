import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { readExactly } from './read-exactly.ts';
import type { ProxyLogin } from './start-proxy.ts';

const method = { none: 0, password: 2, refused: 0xff } as const;

/** One CONNECT of SOCKS version 5 (RFC 1928, RFC 1929): resolves with the socket to the target once it was answered. */
export async function serveSocks5(
  socket: Socket,
  login: ProxyLogin | undefined,
  dialling: (host: string, port: number) => void,
): Promise<Socket> {
  const [, count = 0] = await readExactly(socket, 2);
  const offered = await readExactly(socket, count);
  const wanted = login === undefined ? method.none : method.password;
  if (!offered.includes(wanted)) return hangUp(socket, [5, method.refused]);
  socket.write(Buffer.from([5, wanted]));
  if (login !== undefined) {
    await readExactly(socket, 1);
    const user = await readText(socket);
    const password = await readText(socket);
    if (user !== login.user || password !== login.password) return hangUp(socket, [1, 1]);
    socket.write(Buffer.from([1, 0]));
  }
  const [, , , type = 0] = await readExactly(socket, 4);
  const host = await readHost(socket, type);
  const port = (await readExactly(socket, 2)).readUInt16BE();
  dialling(host, port);
  const far = connect({ host, port, allowHalfOpen: true });
  try {
    await once(far, 'connect');
  } catch {
    return hangUp(socket, answer(5)); // connection refused
  }
  socket.write(Buffer.from(answer(0)));
  return far;
}

async function readText(socket: Socket): Promise<string> {
  const [length = 0] = await readExactly(socket, 1);
  return (await readExactly(socket, length)).toString();
}

/** RFC 1928 §5 */
async function readHost(socket: Socket, type: number): Promise<string> {
  if (type === 3) return await readText(socket);
  if (type === 1) return (await readExactly(socket, 4)).join('.');
  const bytes = await readExactly(socket, 16);
  return Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16)).join(':');
}

function answer(reply: number): number[] {
  return [5, reply, 0, 1, 0, 0, 0, 0, 0, 0];
}

function hangUp(socket: Socket, bytes: readonly number[]): never {
  socket.end(Buffer.from(bytes));
  throw new Error('refused');
}
