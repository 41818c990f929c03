import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import { type AddressInfo, createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Channel, Connection } from '@viassh/core';
import type { ComplianceArea, ComplianceCase } from './compliance-case.ts';
import { closeOf, codeOf, textOf } from './collect.ts';

type Kind = 'direct-tcpip' | 'direct-streamlocal';

/** Connection: direct-tcpip and direct-streamlocal@openssh.com channels. */
export const socketArea: ComplianceArea = {
  name: 'socket channels',
  cases: (['direct-tcpip', 'direct-streamlocal'] as const).flatMap(casesFor),
};

function casesFor(kind: Kind): ComplianceCase[] {
  const needs = [kind] as const;
  return [
    {
      name: `${kind}: bytes go both ways, and our EOF leaves the answer's way open`,
      needs,
      run: async (t, { connection, server }) => {
        await using far = await listen(
          kind,
          (await server()).folder,
          async (socket) => void socket.end((await textOf(socket)).toUpperCase()),
        );
        const channel = await far.open(await connection());
        t.equal(channel.type, kind === 'direct-tcpip' ? kind : 'direct-streamlocal@openssh.com');
        const closed = closeOf(channel);
        channel.write('hello ');
        channel.end('there');
        t.equal(await textOf(channel), 'HELLO THERE');
        t.equal(await closed, undefined);
      },
    },
    {
      name: `${kind}: the far end's EOF leaves our way open`,
      needs,
      run: async (t, { connection, server }) => {
        const { promise: heard, resolve } = Promise.withResolvers<string>();
        await using far = await listen(kind, (await server()).folder, (socket) => {
          socket.end('bye');
          void textOf(socket).then(resolve);
        });
        const channel = await far.open(await connection());
        t.equal(await textOf(channel), 'bye');
        channel.end('one more thing');
        t.equal(await heard, 'one more thing');
      },
    },
    {
      name: `${kind}: nobody there: CHANNEL_REFUSED, and the connection lives on`,
      needs,
      run: async (t, { connection, server }) => {
        const { folder } = await server();
        const shared = await connection();
        const far = await listen(kind, folder, () => undefined);
        await far[Symbol.asyncDispose]();
        t.equal(await codeOf(far.open(shared)), 'CHANNEL_REFUSED');
        await using alive = await listen(kind, folder, (socket) => void socket.end('ok'));
        const channel = await alive.open(shared);
        t.equal(await textOf(channel), 'ok');
        channel.destroy();
      },
    },
    {
      name: `${kind}: destroy reaches the far socket`,
      needs,
      run: async (t, { connection, server }) => {
        const { promise: gone, resolve } = Promise.withResolvers<boolean>();
        await using far = await listen(kind, (await server()).folder, (socket) => {
          socket.write('x');
          socket.once('close', () => resolve(true)).once('end', () => socket.destroy());
          socket.resume();
        });
        const channel = await far.open(await connection());
        await once(channel, 'readable');
        channel.destroy();
        t.ok(await gone);
      },
    },
    {
      name: `${kind}: 50 at once`,
      needs,
      run: async (t, { connection, server }) => {
        const shared = await connection();
        await using far = await listen(kind, (await server()).folder, (socket) => void socket.pipe(socket));
        const answers = await Promise.all(
          Array.from({ length: 50 }, async (_, index) => {
            const channel = await far.open(shared);
            channel.end(`n${index}`);
            return await textOf(channel);
          }),
        );
        t.strictSame(
          answers,
          answers.map((_, index) => `n${index}`),
        );
      },
    },
  ];
}

let names = 0;

/** A server on the far end's machine, which is this one, and how a channel to it is opened. */
async function listen(
  kind: Kind,
  folder: string,
  serve: (socket: Socket) => unknown,
): Promise<AsyncDisposable & { open(connection: Connection): Promise<Channel> }> {
  const path = join(folder, `socket${(names += 1)}`);
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
    serve(socket);
  });
  const place: ListenOptions = kind === 'direct-tcpip' ? { host: '127.0.0.1', port: 0 } : { path };
  await once(server.listen(place), 'listening');
  if (kind === 'direct-streamlocal') await chmod(path, 0o777);
  const port = kind === 'direct-tcpip' ? (server.address() as AddressInfo).port : 0;
  return {
    open: (connection) =>
      kind === 'direct-tcpip'
        ? connection.openDirectTcpip({ host: '127.0.0.1', port })
        : connection.openDirectStreamlocal(path),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
