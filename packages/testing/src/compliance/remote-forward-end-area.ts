import { writeFile } from 'node:fs/promises';
import { type Connection, isViasshError, type RemoteForwardRequest, type RemoteListener } from '@viassh/core';
import { freePort } from '../processes/free-port.ts';
import { waitUntil } from '../processes/wait-until.ts';
import { closeOf, codeOf, failureOf, textOf } from './collect.ts';
import type { ComplianceArea, ComplianceCase } from './compliance-case.ts';
import {
  answerInCapitals,
  answers,
  ask,
  dial,
  endOf,
  type ForwardKind,
  forward,
  freeRequest,
  occupyPort,
} from './far-peer.ts';
import { leftBehind } from './left-behind.ts';

/** Connection: remote forwards that are refused, cancelled, or end with their connection. */
export const remoteForwardEndArea: ComplianceArea = {
  name: 'remote forwards: refused and ended',
  cases: [...(['forwarded-tcpip', 'forwarded-streamlocal'] as const).flatMap(casesFor), ...portCases()],
};

function casesFor(kind: ForwardKind): ComplianceCase[] {
  const needs = [kind] as const;
  return [
    {
      name: `${kind}: close ends the listening, and channels that came through it live on`,
      needs,
      run: async (t, { connection, server }) => {
        const there = await forward(await connection(), freeRequest(kind, (await server()).folder));
        const { socket, channel } = await there.pair();
        await there.listener.close();
        await there.listener.closed;
        await silenceAt(there.listener.address);
        socket.end('still');
        t.equal(await textOf(channel), 'still');
        channel.end('here');
        t.equal(await textOf(socket), 'here');
      },
    },
    {
      name: `${kind}: close may be called again and at the same time; another forward stays`,
      needs,
      run: async (t, { connection, server }) => {
        const shared = await connection();
        const { folder } = await server();
        const stays = await shared.requestForward(freeRequest(kind, folder), answerInCapitals);
        const goes = await shared.requestForward(freeRequest(kind, folder), answerInCapitals);
        await Promise.all([goes.close(), goes.close()]);
        await goes.close();
        await goes[Symbol.asyncDispose]();
        await goes.closed;
        t.equal(await ask(stays.address, 'stays'), 'STAYS');
        await stays.close();
      },
    },
    {
      name: `${kind}: closing the connection ends listeners and channels`,
      needs,
      run: async (t, { serve }) => {
        const server = await serve();
        const connection = await server.connect();
        const { listener, pair } = await forward(connection, freeRequest(kind, server.folder));
        const { socket, channel } = await pair();
        const closed = closeOf(channel);
        await connection.close();
        await listener.closed;
        t.equal(await closed, undefined);
        await endOf(socket);
        await silenceAt(listener.address);
        await listener.close();
      },
    },
    {
      name: `${kind}: a lost connection ends listeners, and channels with CONNECTION_LOST`,
      needs,
      run: async (t, { serve }) => {
        const server = await serve();
        await using connection = await server.connect();
        const { listener, pair } = await forward(connection, freeRequest(kind, server.folder));
        const { channel } = await pair();
        const closed = closeOf(channel);
        channel.resume();
        await server.cut();
        await listener.closed;
        t.match(await closed, { code: 'CONNECTION_LOST' });
        await listener.close();
        t.match(await connection.closed, { kind: 'lost' });
      },
    },
    {
      name: `${kind}: a drain leaves the channels time, and ends the listeners`,
      needs,
      run: async (t, { server }) => {
        const { connect, folder } = await server();
        const connection = await connect();
        const { listener, pair } = await forward(connection, freeRequest(kind, folder));
        const { socket, channel } = await pair();
        const closing = connection.close({ drainMs: 10_000 });
        socket.end('to the end');
        t.equal(await textOf(channel), 'to the end');
        channel.end('indeed');
        t.equal(await textOf(socket), 'indeed');
        await closing;
        await listener.closed;
        t.strictSame(await connection.closed, { kind: 'closed' });
      },
    },
    {
      name: `${kind}: asked for after the end: CONNECTION_CLOSED, CONNECTION_LOST`,
      needs,
      run: async (t, { serve }) => {
        const server = await serve();
        const [closed, lost] = [await server.connect(), await server.connect()];
        await closed.close();
        const request = freeRequest(kind, server.folder);
        t.equal(await codeOf(closed.requestForward(request, answerInCapitals)), 'CONNECTION_CLOSED');
        await server.cut();
        await lost.closed;
        t.equal(await codeOf(lost.requestForward(request, answerInCapitals)), 'CONNECTION_LOST');
        await lost.close();
      },
    },
    {
      name: `${kind}: an abort before: ABORTED, and nobody listens`,
      needs,
      run: async (t, { connection, server }) => {
        const shared = await connection();
        const { folder } = await server();
        const request = await fixedRequest(kind, folder);
        const signal = AbortSignal.abort();
        t.equal(await codeOf(shared.requestForward(request, answerInCapitals, { signal })), 'ABORTED');
        t.notOk(await answers(addressOf(request)));
        const listener = await shared.requestForward(request, answerInCapitals);
        t.equal(await ask(listener.address, 'now'), 'NOW');
        await listener.close();
      },
    },
    {
      name: `${kind}: an abort while it is asked for: ABORTED, and the place is free again`,
      needs,
      run: async (t, { connection, server }) => {
        const shared = await connection();
        const request = await fixedRequest(kind, (await server()).folder);
        const controller = new AbortController();
        const asked = codeOf(shared.requestForward(request, answerInCapitals, { signal: controller.signal }));
        controller.abort();
        t.equal(await asked, 'ABORTED');
        await silenceAt(addressOf(request));
        if (kind === 'forwarded-streamlocal') return; // an sshd leaves the file
        const listener = await whenFree(shared, request);
        t.equal(await ask(listener.address, 'mine'), 'MINE');
        await listener.close();
      },
    },
    {
      name: `${kind}: an abort after it stands leaves it alone`,
      needs,
      run: async (t, { connection, server }) => {
        const controller = new AbortController();
        const listener = await (await connection()).requestForward(
          freeRequest(kind, (await server()).folder),
          answerInCapitals,
          { signal: controller.signal },
        );
        controller.abort();
        t.equal(await ask(listener.address, 'alive'), 'ALIVE');
        await listener.close();
      },
    },
    {
      name: `${kind}: the server forbids it: FORWARD_REFUSED with a hint, and the connection lives on`,
      needs,
      run: async (t, { serve }) => {
        const server = await serve({ refuse: [kind] });
        await using connection = await server.connect();
        const error = await failureOf(connection.requestForward(freeRequest(kind, server.folder), answerInCapitals));
        t.equal(error.code, 'FORWARD_REFUSED');
        t.ok(error.hint);
        const session = await connection.openSession({ kind: 'exec', command: 'exit 7' });
        t.strictSame(await session.resume().exit, { kind: 'status', code: 7 });
      },
    },
    {
      name: `${kind}: the place is taken: FORWARD_REFUSED, and the next request is granted`,
      needs,
      run: async (t, { connection, server }) => {
        const shared = await connection();
        const { folder } = await server();
        await using taken = await takenPlace(kind, folder);
        t.equal(await codeOf(shared.requestForward(taken.request, answerInCapitals)), 'FORWARD_REFUSED');
        const listener = await shared.requestForward(freeRequest(kind, folder), answerInCapitals);
        t.equal(await ask(listener.address, 'granted'), 'GRANTED');
        await listener.close();
      },
    },
    {
      name: `${kind}: nothing is left after close`,
      needs,
      run: async (t, bench) => {
        const { connect, folder } = await bench.server();
        await (await connect()).close();
        const left = await leftBehind(bench, async () => {
          const connection = await connect();
          const there = await forward(connection, freeRequest(kind, folder));
          const pairs = [await there.pair(), await there.pair()];
          const cancelled = await connection.requestForward(freeRequest(kind, folder), answerInCapitals);
          await ask(cancelled.address, 'x');
          await cancelled.close();
          await connection.close();
          for (const { socket } of pairs) socket.destroy();
        });
        t.strictSame(left, []);
      },
    },
  ];
}

function portCases(): ComplianceCase[] {
  const needs = ['forwarded-tcpip'] as const;
  return [
    {
      name: 'forwarded-tcpip: PermitListen names one port: that and no other',
      needs,
      run: async (t, { serve }) => {
        const [permitted, other] = [await freePort(), await freePort()];
        await using connection = await (await serve({ permitListen: permitted })).connect();
        for (const port of [other, 0])
          t.equal(
            await codeOf(connection.requestForward({ kind: 'tcpip', port }, answerInCapitals)),
            'FORWARD_REFUSED',
          );
        const listener = await connection.requestForward({ kind: 'tcpip', port: permitted }, answerInCapitals);
        t.equal(await ask(listener.address, 'permitted'), 'PERMITTED');
        await listener.close();
      },
    },
    {
      name: 'forwarded-tcpip: no port at all: OPTION_INVALID, and the connection lives on',
      needs,
      run: async (t, { connection }) => {
        const shared = await connection();
        for (const port of [-1, 65_536, 1.5, Number.NaN])
          t.equal(
            await codeOf(shared.requestForward({ kind: 'tcpip', port }, answerInCapitals)),
            'OPTION_INVALID',
            `${port}`,
          );
        const listener = await shared.requestForward({ kind: 'tcpip', port: 0 }, answerInCapitals);
        t.equal(await ask(listener.address, 'fine'), 'FINE');
        await listener.close();
      },
    },
    {
      name: 'forwarded-tcpip: a port that was given back may be asked for again',
      needs,
      run: async (t, { connection }) => {
        const shared = await connection();
        const port = await freePort();
        for (const word of ['once', 'twice', 'thrice']) {
          const listener = await shared.requestForward({ kind: 'tcpip', port }, answerInCapitals);
          t.equal(await ask(listener.address, word), word.toUpperCase());
          await listener.close();
        }
      },
    },
    {
      name: 'forwarded-tcpip: the same port twice: the second is refused, the first lives on',
      needs,
      run: async (t, { connection }) => {
        const shared = await connection();
        const port = await freePort();
        const listener = await shared.requestForward({ kind: 'tcpip', port }, answerInCapitals);
        t.equal(await codeOf(shared.requestForward({ kind: 'tcpip', port }, answerInCapitals)), 'FORWARD_REFUSED');
        t.equal(await ask(listener.address, 'first'), 'FIRST');
        await listener.close();
        await silenceAt(listener.address);
      },
    },
    {
      name: 'forwarded-tcpip: the far side hangs up before it was decided on: nothing breaks',
      needs,
      run: async (t, { connection }) => {
        const shared = await connection();
        const { promise: asked, resolve } = Promise.withResolvers<void>();
        const { promise: gone, resolve: hungUp } = Promise.withResolvers<void>();
        const listener = await shared.requestForward({ kind: 'tcpip', port: 0 }, async (incoming) => {
          resolve();
          await gone;
          await answerInCapitals(incoming);
        });
        const socket = await dial(listener.address);
        await asked;
        socket.resetAndDestroy();
        hungUp();
        t.equal(await ask(listener.address, 'next'), 'NEXT');
        await listener.close();
      },
    },
  ];
}

/** A cancelled forward's server may take a moment: OpenSSH's client cancels without asking for an answer. */
async function silenceAt(address: RemoteListener['address']): Promise<void> {
  await waitUntil('nobody to listen there', async () => !(await answers(address)));
}

async function fixedRequest(kind: ForwardKind, folder: string): Promise<RemoteForwardRequest> {
  return kind === 'forwarded-tcpip' ? { kind: 'tcpip', port: await freePort() } : freeRequest(kind, folder);
}

function addressOf(request: RemoteForwardRequest): RemoteListener['address'] {
  return request.kind === 'tcpip' ? { ...request, bindAddress: 'localhost' } : request;
}

/** A request for what somebody else has. */
async function takenPlace(
  kind: ForwardKind,
  folder: string,
): Promise<AsyncDisposable & { readonly request: RemoteForwardRequest }> {
  if (kind === 'forwarded-tcpip') {
    const place = await occupyPort();
    return { request: { kind: 'tcpip', port: place.port }, [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() };
  }
  const request = freeRequest(kind, folder);
  await writeFile('path' in request ? request.path : '', 'no socket');
  return { request, [Symbol.asyncDispose]: async () => undefined };
}

/** The forward, as soon as what stood there before has been cancelled. */
async function whenFree(connection: Connection, request: RemoteForwardRequest): Promise<RemoteListener> {
  return await waitUntil('the place to be free', async () => {
    try {
      return await connection.requestForward(request, answerInCapitals);
    } catch (error) {
      if (isViasshError(error, 'FORWARD_REFUSED')) return undefined;
      throw error;
    }
  });
}
