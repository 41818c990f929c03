import { createHash, randomBytes } from 'node:crypto';
import type { IncomingChannel, IncomingChannelHandler, Originator, RemoteAddress } from '@viassh/core';
import { waitUntil } from '../processes/wait-until.ts';
import { closeOf, digestOf, textOf } from './collect.ts';
import type { ComplianceArea, ComplianceCase } from './compliance-case.ts';
import { freePort } from '../processes/free-port.ts';
import { answerInCapitals, ask, dial, endOf, type ForwardKind, forward, freeRequest } from './far-peer.ts';

const MEBIBYTE = 1024 * 1024;

/** Ways not to take a channel. */
const refusals: Readonly<Record<string, IncomingChannelHandler>> = {
  'the handler refuses': (incoming) => incoming.refuse('not today'),
  'the handler throws': () => {
    throw new Error('what is this');
  },
  'the handler rejects': async () => {
    throw new Error('what is this');
  },
  'the handler does not decide': () => undefined,
};

/** Connection: channels that come through remote forwards. */
export const remoteForwardArea: ComplianceArea = {
  name: 'remote forwards',
  cases: [...(['forwarded-tcpip', 'forwarded-streamlocal'] as const).flatMap(casesFor), ...portCases()],
};

function casesFor(kind: ForwardKind): ComplianceCase[] {
  const needs = [kind] as const;
  return [
    {
      name: `${kind}: the far end's EOF leaves our way open, ours comes through`,
      needs,
      run: async (t, { connection, server }) => {
        await using there = await forward(await connection(), freeRequest(kind, (await server()).folder));
        const { socket, channel } = await there.pair();
        t.equal(channel.type, kind === 'forwarded-tcpip' ? kind : 'forwarded-streamlocal@openssh.com');
        const closed = closeOf(channel);
        socket.end('hello there');
        t.equal(await textOf(channel), 'hello there');
        channel.write('and ');
        channel.end('back');
        t.equal(await textOf(socket), 'and back');
        t.equal(await closed, undefined);
      },
    },
    {
      name: `${kind}: our EOF leaves the far end's way open`,
      needs,
      run: async (t, { connection, server }) => {
        await using there = await forward(await connection(), freeRequest(kind, (await server()).folder));
        const { socket, channel } = await there.pair();
        channel.end('bye');
        t.equal(await textOf(socket), 'bye');
        socket.end('one more thing');
        t.equal(await textOf(channel), 'one more thing');
      },
    },
    {
      name: `${kind}: 4 MiB of random bytes, both ways at once, arrive the same`,
      needs,
      run: async (t, { connection, server }) => {
        await using there = await forward(await connection(), freeRequest(kind, (await server()).folder));
        const { socket, channel } = await there.pair();
        const [up, down] = [randomBytes(4 * MEBIBYTE), randomBytes(4 * MEBIBYTE)];
        const [atSocket, atChannel] = [digestOf(socket), digestOf(channel)];
        channel.end(up);
        socket.end(down);
        t.strictSame(await atSocket, { bytes: up.length, sha256: sha256(up) });
        t.strictSame(await atChannel, { bytes: down.length, sha256: sha256(down) });
      },
    },
    {
      name: `${kind}: several at once: each gets its own connections, 40 of them`,
      needs,
      run: async (t, { connection, server }) => {
        const shared = await connection();
        const { folder } = await server();
        const forwards = await Promise.all(
          [0, 1, 2].map((index) => shared.requestForward(freeRequest(kind, folder), prefixing(`forward ${index} `))),
        );
        const wanted = Array.from({ length: 40 }, (_, index) => index);
        const heard = await Promise.all(
          wanted.map((index) => ask(forwards[index % 3]?.address as RemoteAddress, `word ${index}`)),
        );
        t.strictSame(
          heard,
          wanted.map((index) => `forward ${index % 3} word ${index}`),
        );
        await Promise.all(forwards.map((one) => one.close()));
      },
    },
    {
      name: `${kind}: a channel that nobody reads does not hold up another`,
      needs,
      run: async (t, { connection, server }) => {
        await using there = await forward(await connection(), freeRequest(kind, (await server()).folder));
        const unread = await there.pair();
        unread.socket.write(Buffer.alloc(16 * MEBIBYTE));
        const { socket, channel } = await there.pair();
        socket.end('through');
        t.equal(await textOf(channel), 'through');
        channel.destroy();
        unread.channel.destroy();
        await endOf(unread.socket);
      },
    },
    {
      name: `${kind}: destroy reaches the far socket, and a far socket that goes ends the channel`,
      needs,
      run: async (t, { connection, server }) => {
        await using there = await forward(await connection(), freeRequest(kind, (await server()).folder));
        const first = await there.pair();
        first.channel.destroy();
        await endOf(first.socket);
        first.socket.destroy();
        const second = await there.pair();
        second.socket.destroy();
        t.equal(await textOf(second.channel), '');
        second.channel.destroy();
      },
    },
    ...Object.entries(refusals).map(
      ([how, handler]): ComplianceCase => ({
        name: `${kind}: ${how}: the far side sees the end, and the next one may be taken`,
        needs,
        run: async (t, { connection, server }) => {
          const handlers = [handler, answerInCapitals];
          const listener = await (await connection()).requestForward(
            freeRequest(kind, (await server()).folder),
            (incoming) => handlers.shift()?.(incoming),
          );
          await endOf(await dial(listener.address));
          t.equal(await ask(listener.address, 'taken'), 'TAKEN');
          await listener.close();
        },
      }),
    ),
    {
      name: `${kind}: a handler may take its time`,
      needs,
      run: async (t, { connection, server }) => {
        const { promise: decided, resolve: decide } = Promise.withResolvers<void>();
        const { promise: asked, resolve } = Promise.withResolvers<void>();
        const listener = await (await connection()).requestForward(
          freeRequest(kind, (await server()).folder),
          async (incoming) => {
            resolve();
            await decided;
            await answerInCapitals(incoming);
          },
        );
        const answer = ask(listener.address, 'at last');
        await asked;
        decide();
        t.equal(await answer, 'AT LAST');
        await listener.close();
      },
    },
    {
      name: `${kind}: who connected is told where the transport can tell, and is unknown elsewhere`,
      needs,
      run: async (t, { connection, server }) => {
        const shared = await connection();
        const { promise: came, resolve } = Promise.withResolvers<IncomingChannel>();
        const listener = await shared.requestForward(freeRequest(kind, (await server()).folder), resolve);
        const socket = await dial(listener.address);
        const own: Originator = { address: '127.0.0.1', port: socket.localPort ?? 0 };
        const told = kind === 'forwarded-tcpip' && shared.capabilities.has('originator');
        const { originator, type } = await came;
        t.strictSame(originator, told ? own : undefined);
        t.equal(type, kind === 'forwarded-tcpip' ? kind : 'forwarded-streamlocal@openssh.com');
        await endOf(socket);
        await listener.close();
      },
    },
  ];
}

function portCases(): ComplianceCase[] {
  const needs = ['forwarded-tcpip'] as const;
  return [
    {
      name: 'forwarded-tcpip: port 0 is a port of the server’s choice, and another one the next time',
      needs,
      run: async (t, { connection }) => {
        const shared = await connection();
        const listeners = await Promise.all(
          [1, 2].map(() => shared.requestForward({ kind: 'tcpip', port: 0 }, answerInCapitals)),
        );
        const ports = listeners.map(({ address }) => (address.kind === 'tcpip' ? address.port : 0));
        t.ok(
          ports.every((port) => port > 0 && port < 65_536),
          ports.join(),
        );
        t.not(ports[0], ports[1]);
        for (const { address } of listeners) t.equal(await ask(address, 'here'), 'HERE');
        await Promise.all(listeners.map((listener) => listener.close()));
      },
    },
    {
      name: 'forwarded-tcpip: a port of our choice, by the addresses that mean loopback',
      needs,
      run: async (t, { connection }) => {
        const shared = await connection();
        for (const bindAddress of [undefined, 'localhost', '127.0.0.1', '*', '']) {
          const port = await freePort();
          const listener = await shared.requestForward({ kind: 'tcpip', port, bindAddress }, answerInCapitals);
          t.match(listener.address, { kind: 'tcpip', port });
          t.equal(await ask(listener.address, `by ${bindAddress}`), `BY ${bindAddress}`.toUpperCase());
          await listener.close();
        }
      },
    },
    {
      name: 'forwarded-tcpip: several ports of our choice at once do not mix',
      needs,
      run: async (t, { connection }) => {
        const shared = await connection();
        const ports = await Promise.all([freePort(), freePort(), freePort()]);
        const listeners = await Promise.all(
          ports.map((port) => shared.requestForward({ kind: 'tcpip', port }, prefixing(`${port} `))),
        );
        const heard = await Promise.all(listeners.toReversed().map(({ address }) => ask(address, 'x')));
        t.strictSame(
          heard,
          ports.toReversed().map((port) => `${port} x`),
        );
        await Promise.all(listeners.map((listener) => listener.close()));
      },
    },
    {
      name: 'forwarded-tcpip: who connects before the request has resolved is not lost',
      needs,
      run: async (t, { connection }) => {
        const shared = await connection();
        const port = await freePort();
        const address = { kind: 'tcpip', bindAddress: 'localhost', port } as const;
        const early = waitUntil('somebody to listen', () => dial(address).catch(() => undefined), { everyMs: 1 });
        const listener = await shared.requestForward({ kind: 'tcpip', port }, answerInCapitals);
        const socket = await early;
        socket.end('early');
        t.equal(await textOf(socket), 'EARLY');
        await listener.close();
      },
    },
  ];
}

function prefixing(prefix: string): IncomingChannelHandler {
  return (incoming) => {
    const channel = incoming.accept();
    void textOf(channel).then((text) => channel.end(`${prefix}${text}`));
  };
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
