import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Connection } from '@viassh/core';

/** Both ends of one connection over a Unix socket; the socket's file is gone. */
export async function socketPair(): Promise<readonly [client: Socket, server: Socket]> {
  const folder = await mkdtemp(join(tmpdir(), 'viassh-l-'));
  const server = createServer({ allowHalfOpen: true });
  try {
    await once(server.listen(join(folder, 's')), 'listening');
    const client = connect({ path: join(folder, 's'), allowHalfOpen: true });
    const [other] = (await once(server, 'connection')) as [Socket];
    if (client.connecting) await once(client, 'connect');
    return [client, other];
  } finally {
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A lease in front of `connection`, made by `lease`; what is behind it is closed with it, as if it were the connection itself. */
export function closingBoth(lease: Connection, connection: Connection): Connection {
  const close: Connection['close'] = async (options) => {
    await lease.close(options);
    await connection.close(options); // a drain waits for the far end's CLOSE too, which a client does not see
  };
  const own: Partial<Connection> = { close, [Symbol.asyncDispose]: () => close() };
  return new Proxy(lease, {
    get(target, key) {
      if (Object.hasOwn(own, key)) return own[key as keyof Connection];
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
