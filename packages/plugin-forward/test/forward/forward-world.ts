import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net';
import { type Connection, insecureAcceptAnyHostKey, type NearEnd, silentLogger } from '@viassh/core';
import type { Forward, ForwardEvent } from '@viassh/plugin-forward';
import {
  createMemoryTransport,
  type MemoryServerOptions,
  type MemoryTransport,
  memoryRoute,
  watchLeaks,
} from '@viassh/testing';
import type { Test } from 'tap';

/** A connection in memory, and what happened in the forwards on it. */
export interface ForwardWorld {
  readonly transport: MemoryTransport;
  readonly connection: Connection;
  readonly events: ForwardEvent[];
  readonly onEvent: (event: ForwardEvent) => void;
}

/** Closed with the test; nothing may be left then. */
export async function forwardWorld(t: Test, options: MemoryServerOptions = {}): Promise<ForwardWorld> {
  await watchLeaks(t);
  const transport = createMemoryTransport(options);
  const connection = await transport.connect(memoryRoute(), {
    verifyHostKey: insecureAcceptAnyHostKey(silentLogger),
    log: silentLogger,
  });
  t.teardown(() => connection.close());
  const events: ForwardEvent[] = [];
  return { transport, connection, events, onEvent: (event) => events.push(event) };
}

/** A program that listens on loopback; gone with the test. */
export async function listener(
  t: Test,
  serve: (socket: Socket) => void,
  where?: { path: string },
): Promise<{ port: number; server: Server }> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
    serve(socket);
  });
  server.listen(where ?? { host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: where === undefined ? (server.address() as AddressInfo).port : 0, server };
}

/** Sends back what comes, and EOF behind it. */
export function echo(socket: Socket): void {
  socket.pipe(socket);
}

/** Where a forward listens, to connect to; the memory server listens on this machine. */
export function placeOf({ address }: Pick<Forward, 'address'>): NetConnectOpts {
  if (address.kind === 'unix' || address.kind === 'streamlocal') return { path: address.path };
  return { host: '127.0.0.1', port: address.port };
}

/** A client that is connected; its errors are its test's to see, and end nothing. Gone with the test. */
export async function client(t: Test, place: NetConnectOpts): Promise<Socket> {
  const socket = connect({ ...place, allowHalfOpen: true }).on('error', () => undefined);
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** All that comes until EOF; what was read before it when it fails. */
export async function allOf(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk) => (text += String(chunk)));
  await Promise.race([once(socket, 'end'), once(socket, 'close')]).catch(() => undefined);
  return text;
}

export const loopback: NearEnd = { kind: 'tcp', host: '127.0.0.1', port: 0 };
