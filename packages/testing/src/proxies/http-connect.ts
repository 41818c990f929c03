import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { readExactly } from './read-exactly.ts';
import type { ProxyLogin } from './start-proxy.ts';

/** One CONNECT (RFC 9110 §9.3.6): resolves with the socket to the target once it was answered. */
export async function serveHttpConnect(
  socket: Socket,
  login: ProxyLogin | undefined,
  dialling: (host: string, port: number) => void,
): Promise<Socket> {
  let head = '';
  while (!head.endsWith('\r\n\r\n')) head += (await readExactly(socket, 1)).toString('latin1');
  const [, host = '', port] = /^CONNECT (\S+):(\d+) HTTP\/1\.[01]\r\n/.exec(head) ?? [];
  if (port === undefined) return hangUp(socket, '405 Method Not Allowed');
  const credentials = /^proxy-authorization: *basic +(\S+)/im.exec(head)?.[1] ?? '';
  if (login !== undefined && Buffer.from(credentials, 'base64').toString() !== `${login.user}:${login.password}`)
    return hangUp(socket, '407 Proxy Authentication Required', 'Proxy-Authenticate: Basic realm="test"');
  dialling(host, Number(port));
  const far = connect({ host: host.replace(/^\[|\]$/g, ''), port: Number(port), allowHalfOpen: true });
  try {
    await once(far, 'connect');
  } catch {
    return hangUp(socket, '502 Bad Gateway');
  }
  socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
  return far;
}

function hangUp(socket: Socket, status: string, ...headers: readonly string[]): never {
  socket.end(['HTTP/1.1 ' + status, ...headers, 'Content-Length: 0', 'Connection: close', '', ''].join('\r\n'));
  throw new Error(status);
}
