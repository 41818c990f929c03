import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type {
  Channel,
  Connection,
  IncomingChannelHandler,
  RemoteAddress,
  RemoteForwardRequest,
  RemoteListener,
} from '@viassh/core';
import { textOf } from './collect.ts';

/** The two kinds of remote forwards, by their capabilities. */
export type ForwardKind = 'forwarded-tcpip' | 'forwarded-streamlocal';

let names = 0;

/** A forward of that kind to a place that is free: the server's choice of port, or a new name in the folder. */
export function freeRequest(kind: ForwardKind, folder: string): RemoteForwardRequest {
  if (kind === 'forwarded-tcpip') return { kind: 'tcpip', port: 0 };
  return { kind: 'streamlocal', path: join(folder, `forward${(names += 1)}`) };
}

/** Takes a port of loopback, with every address that localhost may have: an sshd is content with one of them. */
export async function occupyPort(): Promise<AsyncDisposable & { readonly port: number }> {
  const servers: Server[] = [];
  const occupy = async (host: string, port: number): Promise<number> => {
    const server = createServer();
    await once(server.listen(port, host), 'listening');
    servers.push(server);
    return (server.address() as AddressInfo).port;
  };
  const port = await occupy('127.0.0.1', 0);
  await occupy('::1', port).catch(() => undefined); // not every machine has it
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const server of servers) await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Connects on the far end, which is this machine, to what a remote forward listens on. @throws Error of connect */
export async function dial(address: RemoteAddress): Promise<Socket> {
  const socket = connect({
    allowHalfOpen: true,
    ...(address.kind === 'tcpip' ? { host: '127.0.0.1', port: address.port } : { path: address.path }),
  });
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  return socket;
}

/** Does somebody listen there? */
export async function answers(address: RemoteAddress): Promise<boolean> {
  return await dial(address).then(
    (socket) => {
      socket.destroy();
      return true;
    },
    () => false,
  );
}

/** Resolves when the far side has ended the socket, in whatever way. */
export async function endOf(socket: Socket): Promise<void> {
  socket.resume();
  if (socket.readableEnded || socket.destroyed) return;
  await new Promise<void>((resolve) => socket.once('end', resolve).once('close', () => resolve()));
}

/** A forward and the next channel that comes through it. */
export interface OneForward extends AsyncDisposable {
  readonly listener: RemoteListener;
  /** Connects there: both ends of what comes of it. */
  readonly pair: () => Promise<{ readonly socket: Socket; readonly channel: Channel }>;
}

/** A forward whose channels are all accepted. */
export async function forward(connection: Connection, request: RemoteForwardRequest): Promise<OneForward> {
  const waiting: ((channel: Channel) => void)[] = [];
  const listener = await connection.requestForward(request, (incoming) => waiting.shift()?.(incoming.accept()));
  return {
    listener,
    async pair() {
      const { promise, resolve } = Promise.withResolvers<Channel>();
      waiting.push(resolve);
      const socket = await dial(listener.address);
      const channel = await promise;
      return { socket, channel };
    },
    [Symbol.asyncDispose]: () => listener.close(),
  };
}

/** Accepts and sends each word back in capitals, after the sender's EOF. */
export const answerInCapitals: IncomingChannelHandler = (incoming) => {
  const channel = incoming.accept();
  void textOf(channel).then((text) => channel.end(text.toUpperCase()));
};

/** Says a word to a listener and gives what it answers. */
export async function ask(address: RemoteAddress, word: string): Promise<string> {
  const socket = await dial(address);
  socket.end(word);
  return await textOf(socket);
}
