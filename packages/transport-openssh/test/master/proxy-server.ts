import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { ProxyAddress } from '@viassh/core';

/** A proxy of our own. */
export interface ProxyServer extends AsyncDisposable {
  readonly address: ProxyAddress;
  /** `host:port` of each that it was asked for. */
  readonly asked: readonly string[];
}

/** What it is like. */
export interface ProxyServerOptions {
  readonly protocol: ProxyAddress['protocol'];
  /** It wants these. */
  readonly login?: { readonly user: string; readonly password: string } | undefined;
  /** It never answers. */
  readonly silent?: boolean | undefined;
}

/** Its answer and the first words of what it dialled come as one piece, as they may on a real network. */
export async function startProxyServer({ protocol, login, silent = false }: ProxyServerOptions): Promise<ProxyServer> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const join = (near: Socket, host: string, port: number, yes: Buffer, no: Buffer): void => {
    asked.push(`${host}:${port}`);
    const far = connect(port, host);
    sockets.add(far);
    far.on('error', () => near.end(no));
    near.on('error', () => far.destroy()).once('close', () => far.destroy());
    far.once('data', (first: Buffer) => {
      near.write(Buffer.concat([yes, first]));
      near.pipe(far).pipe(near);
    });
  };
  const server: Server =
    protocol === 'socks5'
      ? createServer((socket) => void (silent ? socket.on('error', () => undefined) : socks5(socket, login, join)))
      : createHttpServer().on('connect', ({ url = '', headers }, socket) => {
          if (silent) return;
          const [, host = '', port] = /^\[?(.*?)\]?:(\d+)$/.exec(url) ?? [];
          const wanted = login && `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`;
          if (headers['proxy-authorization'] !== wanted)
            socket.end('HTTP/1.1 407 Login\r\nProxy-Authenticate: Basic realm="x"\r\nConnection: close\r\n\r\n');
          else
            join(
              socket as Socket,
              host,
              Number(port),
              Buffer.from('HTTP/1.1 200 Connected\r\n\r\n'),
              Buffer.from('HTTP/1.1 502 Nobody There\r\n\r\n'),
            );
        });
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    address: { protocol, host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** RFC 1928 and RFC 1929; each message is taken to come as one piece, as a client on the loopback interface sends it. */
async function socks5(
  socket: Socket,
  login: ProxyServerOptions['login'],
  join: (near: Socket, host: string, port: number, yes: Buffer, no: Buffer) => void,
): Promise<void> {
  socket.on('error', () => undefined);
  const next = async (): Promise<Buffer> => ((await once(socket, 'data')) as [Buffer])[0];
  await next();
  socket.write(Buffer.from([5, login === undefined ? 0 : 2]));
  if (login !== undefined) {
    const said = await next();
    const right = Buffer.concat([
      Buffer.from([1, login.user.length]),
      Buffer.from(login.user),
      Buffer.from([login.password.length]),
      Buffer.from(login.password),
    ]);
    socket.write(Buffer.from([1, said.equals(right) ? 0 : 1]));
  }
  const request = await next();
  const host = [...request.subarray(4, 8)].join('.'); // an IPv4 address
  join(socket, host, request.readUInt16BE(8), reply(0), reply(5));
}

function reply(code: number): Buffer {
  return Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0]);
}
