import type { Socket } from 'node:net';
import { type Connection, insecureAcceptAnyHostKey, type Logger, silentLogger } from '@viassh/core';
import { createMemoryTransport, memoryRoute, type MemoryTransport, watchLeaks } from '@viassh/testing';
import type { Test } from 'tap';
import { type Lease, leaseConnection, serveLease } from '../../src/index.ts';
import { frameHead, FrameKind } from '../../src/lease/wire/frame.ts';
import { socketPair } from './lending.ts';

/** A connection in memory that is lent, and who takes it. */
export interface LeaseBench {
  readonly connection: Connection;
  readonly transport: MemoryTransport;
  readonly warnings: readonly string[];
  /** A client that keeps the rules. */
  lease(): Promise<{ readonly leased: Connection; readonly lease: Lease; readonly server: Socket }>;
  /** One that need not: its socket, and the broker's side of it. */
  rude(): Promise<{ readonly client: Socket; readonly lease: Lease; readonly server: Socket }>;
}

/** What is open at the end of the test has to be closed by it. */
export async function leaseBench(t: Test): Promise<LeaseBench> {
  await watchLeaks(t);
  const transport = createMemoryTransport({ maxSessions: 100 });
  const verifyHostKey = insecureAcceptAnyHostKey(silentLogger);
  const connection = await transport.connect(memoryRoute(), { verifyHostKey, log: silentLogger });
  const warnings: string[] = [];
  const log: Logger = { ...silentLogger, warning: (message) => warnings.push(message) };
  t.teardown(() => connection.close());
  const lend = async (): Promise<{ client: Socket; lease: Lease; server: Socket }> => {
    const [client, server] = await socketPair();
    client.on('error', () => undefined);
    t.teardown(() => client.destroy());
    return { client, server, lease: serveLease(server, connection, { log }) };
  };
  return {
    connection,
    transport,
    warnings,
    rude: lend,
    async lease() {
      const { client, lease, server } = await lend();
      const leased = await leaseConnection(client);
      t.teardown(() => leased.close());
      return { leased, lease, server };
    },
  };
}

/** A whole frame. */
export function frame(kind: FrameKind, id: number, body: Buffer | object = Buffer.alloc(0)): Buffer {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  return Buffer.concat([frameHead(kind, id, bytes.length), bytes]);
}

/** The client's first word. */
export const hello: Buffer = frame(FrameKind.hello, 0, { version: 1 });

/** The other side has ended it. */
export async function cutOff(socket: Socket): Promise<void> {
  socket.once('end', () => socket.end()).resume();
  if (!socket.closed) await new Promise((resolve) => void socket.once('close', resolve));
}
