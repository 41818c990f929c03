import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { ProxyAddress } from '@viassh/core';
import { serveHttpConnect } from './http-connect.ts';
import { serveSocks5 } from './socks5.ts';

/** Who may use a proxy. */
export interface ProxyLogin {
  readonly user: string;
  readonly password: string;
}

/** A proxy on loopback that dials for real. */
export interface Proxy extends AsyncDisposable {
  /** With the login, where it wants one. */
  readonly address: ProxyAddress;
  /** `host:port` of all that it was asked to dial, in order. */
  readonly dialled: readonly string[];
}

/** Starts a proxy; with `login` it takes nobody else. */
export async function startProxy(protocol: ProxyAddress['protocol'], login?: ProxyLogin): Promise<Proxy> {
  const dialled: string[] = [];
  const sockets = new Set<Socket>();
  const serve = protocol === 'socks5' ? serveSocks5 : serveHttpConnect;
  const join = async (socket: Socket): Promise<void> => {
    try {
      const far = await serve(socket, login, (host, port) => void dialled.push(`${host}:${port}`));
      hold(far, sockets);
      socket.pipe(far).pipe(socket);
      far.once('close', () => socket.destroy());
      socket.once('close', () => far.destroy());
    } catch {
      socket.destroySoon(); // the refusal goes first
    }
  };
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    hold(socket, sockets);
    void join(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    address: { protocol, host: '127.0.0.1', port: (server.address() as AddressInfo).port, ...login },
    dialled,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function hold(socket: Socket, sockets: Set<Socket>): void {
  sockets.add(socket);
  socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
}
