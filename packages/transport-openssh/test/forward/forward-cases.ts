import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { Channel, Connection, IncomingChannel, RemoteAddress } from '@viassh/core';
import {
  freePort,
  missingForSshd,
  type Sshd,
  type SshdOptions,
  startSshd,
  waitUntil,
  watchLeaks,
} from '@viassh/testing';
import type { Test } from 'tap';
import { allOf, dialTo, occupiedPort, runtimeFolderFor, textOf } from '../bench.ts';

/** Makes a connection to a fixture; what it needs beside goes behind it. */
export type ConnectTo = (sshd: Sshd, runtimeFolder: string, undo: AsyncDisposableStack) => Promise<Connection>;

const skip = (await missingForSshd()) ?? false;
const many = 4 * 1024 * 1024;

/** The remote forwards of one transport against real sshd. */
export function testRemoteForwards(t: Test, connectTo: ConnectTo): void {
  const test = (
    name: string,
    body: (t: Test, connection: Connection, sshd: Sshd, runtimeFolder: string) => Promise<void>,
    options: SshdOptions = {},
  ): void =>
    void t.test(name, { skip }, async (t) => {
      const runtimeFolder = await runtimeFolderFor(t);
      await watchLeaks(t, { folders: [runtimeFolder] });
      await using sshd = await startSshd({ mode: 'listen', ...options });
      await using undo = new AsyncDisposableStack();
      await using connection = await connectTo(sshd, runtimeFolder, undo);
      await body(t, connection, sshd, runtimeFolder);
    });

  test('port 0: the server chooses, and both ways carry bytes and ends', async (t, connection) => {
    const { handler, next } = collect();
    const listener = await connection.requestForward({ kind: 'tcpip', port: 0 }, handler);
    t.match(listener.address, { kind: 'tcpip', bindAddress: 'localhost' });
    const port = portOf(listener.address);
    t.ok(port > 0);
    const there = await dialTo(port);
    const here = await next();
    t.equal(here.type, 'forwarded-tcpip');
    there.end('from there');
    t.equal(await textOf(here), 'from there');
    t.equal(there.destroyed, false, 'their EOF left our way open');
    const closed = once(here, 'close');
    here.end('from here');
    t.equal(await textOf(there), 'from here');
    await closed;
  });

  test('our EOF first, and 4 MiB each way at once with a reader that is late', async (t, connection) => {
    const { handler, next } = collect();
    const listener = await connection.requestForward({ kind: 'tcpip', port: 0 }, handler);
    const there = await dialTo(portOf(listener.address));
    const here = await next();
    const up = Buffer.alloc(many, 'u');
    const down = Buffer.alloc(many, 'd');
    here.end(up);
    t.ok((await allOf(there)).equals(up));
    there.end(down);
    await once(here, 'readable');
    t.ok(here.readableLength < many, 'what nobody reads is not all fetched');
    t.ok((await allOf(here)).equals(down));
  });

  test(
    'several binds on one port, each with its own handler',
    async (t, connection) => {
      const port = await freePort();
      const four = collect();
      const six = collect();
      const named = collect();
      const on4 = await connection.requestForward({ kind: 'tcpip', bindAddress: '127.0.0.1', port }, four.handler);
      const on6 = await connection.requestForward({ kind: 'tcpip', bindAddress: '::1', port }, six.handler);
      const other = await connection.requestForward({ kind: 'tcpip', port: await freePort() }, named.handler);
      t.strictSame(on4.address, { kind: 'tcpip', bindAddress: '127.0.0.1', port });
      t.strictSame(on6.address, { kind: 'tcpip', bindAddress: '::1', port });
      for (const [place, { next }] of [
        [port, four],
        [portOf(other.address), named],
      ] as const) {
        const there = await dialTo(place);
        const here = await next();
        here.end(`on ${place}`);
        t.equal(await textOf(there), `on ${place}`);
        there.end();
      }
      t.equal(six.count(), 0);
    },
    { config: ['AddressFamily any'] },
  );

  test('a Unix socket of the server', async (t, connection, sshd) => {
    const path = join(await openFolder(sshd), 'socket');
    const { handler, next } = collect();
    await using listener = await connection.requestForward({ kind: 'streamlocal', path }, handler);
    t.strictSame(listener.address, { kind: 'streamlocal', path });
    const there = await dialTo(path);
    const here = await next();
    t.equal(here.type, 'forwarded-streamlocal@openssh.com');
    there.end('ping');
    t.equal(await textOf(here), 'ping');
    here.end('pong');
    t.equal(await textOf(there), 'pong');
  });

  test('a stale file of the server is in the way, and the hint says what takes it away', async (t, connection, sshd) => {
    const path = join(await openFolder(sshd), 'socket');
    const first = await connection.requestForward({ kind: 'streamlocal', path }, () => undefined);
    await first.close();
    t.ok(existsSync(path), 'sshd leaves it');
    const refused = connection.requestForward({ kind: 'streamlocal', path }, () => undefined);
    await t.rejects(refused, { code: 'FORWARD_REFUSED', hint: /StreamLocalBindUnlink/ });
  });

  test(
    'with StreamLocalBindUnlink it is not',
    async (t, connection, sshd) => {
      const path = join(await openFolder(sshd), 'socket');
      for (const round of ['one', 'two']) {
        const { handler, next } = collect();
        await using _ = await connection.requestForward({ kind: 'streamlocal', path }, handler);
        const there = await dialTo(path);
        (await next()).end(round);
        t.equal(await textOf(there), round);
        there.end();
      }
    },
    { config: ['StreamLocalBindUnlink yes'] },
  );

  for (const [setting, request] of [
    ['PermitListen none', { kind: 'tcpip', port: 0 }],
    ['AllowTcpForwarding no', { kind: 'tcpip', port: 0 }],
    ['AllowTcpForwarding local', { kind: 'tcpip', port: 23456 }],
    ['AllowStreamLocalForwarding no', { kind: 'streamlocal', path: '/nowhere/x' }],
  ] as const) {
    test(
      `${setting}: refused, and the connection lives on`,
      async (t, connection) => {
        const refused = connection.requestForward(request, () => undefined);
        await t.rejects(refused, { code: 'FORWARD_REFUSED', message: /does not listen on/ });
        t.strictSame(await (await connection.pipe('exit 3')).exit, { kind: 'status', code: 3 });
      },
      { config: [setting] },
    );
  }

  test('a port in use is refused; once it is free the same request leads to the new handler', async (t, connection) => {
    const other = await occupiedPort();
    const stale = collect();
    const request = { kind: 'tcpip', bindAddress: '127.0.0.1', port: other.port } as const;
    await t.rejects(connection.requestForward(request, stale.handler), { code: 'FORWARD_REFUSED', hint: /in use/ });
    await other[Symbol.asyncDispose]();
    const { handler, next } = collect();
    await using _ = await connection.requestForward(request, handler);
    const there = await dialTo(other.port);
    (await next()).end('new');
    t.equal(await textOf(there), 'new');
    t.equal(stale.count(), 0);
    there.end();
  });

  test('the same place twice: refused, and the first goes on; cancelled it can be had again', async (t, connection) => {
    const request = { kind: 'tcpip', port: await freePort() } as const;
    const first = collect();
    const standing = await connection.requestForward(request, first.handler);
    await t.rejects(
      connection.requestForward(request, () => undefined),
      { code: 'FORWARD_REFUSED' },
    );
    const there = await dialTo(request.port);
    (await first.next()).end('first');
    t.equal(await textOf(there), 'first');
    there.end();
    await standing.close();
    const second = collect();
    await using _ = await connection.requestForward(request, second.handler);
    const again = await dialTo(request.port);
    (await second.next()).end('second');
    t.equal(await textOf(again), 'second');
    again.end();
  });

  test('100 connections at once through one forward', async (t, connection) => {
    const listener = await connection.requestForward({ kind: 'tcpip', port: 0 }, echo);
    const port = portOf(listener.address);
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const there = await dialTo(port);
        there.end(`n${index}`);
        return await textOf(there);
      }),
    );
    t.strictSame(
      answers,
      answers.map((_, index) => `n${index}`),
    );
  });

  test('refused, undecided, thrown at: closed, and the next one is served', async (t, connection) => {
    const handlers = [
      (incoming: IncomingChannel) => incoming.refuse('no'),
      () => undefined,
      () => {
        throw new Error('a handler that throws');
      },
      async () => await Promise.reject(new Error('a handler that rejects')),
      (incoming: IncomingChannel) => void incoming.accept().end('served'),
    ];
    const listener = await connection.requestForward({ kind: 'tcpip', port: 0 }, (incoming) =>
      handlers.shift()?.(incoming),
    );
    const heard = [];
    while (handlers.length > 0) {
      const there = await dialTo(portOf(listener.address));
      heard.push(await textOf(there));
      there.end();
    }
    t.strictSame(heard, ['', '', '', '', 'served']);
  });

  test('cancelled, nobody listens there any more, and channels live on', async (t, connection) => {
    const { handler, next } = collect();
    const listener = await connection.requestForward({ kind: 'tcpip', port: 0 }, handler);
    const port = portOf(listener.address);
    const there = await dialTo(port);
    const here = await next();
    await Promise.all([listener.close(), listener.close()]);
    await listener.closed;
    await t.rejects(
      waitUntil('the port to be closed', async () => {
        (await dialTo(port)).destroy();
        return undefined;
      }),
      { code: 'ECONNREFUSED' },
    );
    there.end('still');
    t.equal(await textOf(here), 'still');
    here.end('here');
    t.equal(await textOf(there), 'here');
  });

  test('destroyed here, the far socket goes at once', async (t, connection) => {
    const { handler, next } = collect();
    const listener = await connection.requestForward({ kind: 'tcpip', port: 0 }, handler);
    const there = await dialTo(portOf(listener.address));
    const here = await next();
    const error = new Error('enough');
    const failed = once(here, 'error');
    here.destroy(error);
    t.equal((await failed)[0], error);
    t.equal(await textOf(there), '');
    there.destroy();
  });

  test('lost: what had arrived is read, then CONNECTION_LOST; nothing stays', async (t, connection, sshd) => {
    const { handler, next } = collect();
    const listener = await connection.requestForward({ kind: 'tcpip', port: 0 }, handler);
    const sent = await dialTo(portOf(listener.address));
    const read = await next();
    const idle = await dialTo(portOf(listener.address));
    const silent = await next();
    const silentFailed = once(silent, 'error');
    sent.write('last words');
    await once(read, 'readable');
    await sshd.kill();
    t.match(await connection.closed, { kind: 'lost', error: { code: 'CONNECTION_LOST' } });
    await listener.closed;
    t.match((await silentFailed)[0], { code: 'CONNECTION_LOST' });
    const failed = once(read, 'error');
    t.equal(String(read.read()), 'last words');
    t.match((await failed)[0], { code: 'CONNECTION_LOST' });
    t.equal(read.readableEnded, false, 'a loss is no end');
    await t.rejects(connection.requestForward({ kind: 'tcpip', port: 0 }, handler), { code: 'CONNECTION_LOST' });
    for (const socket of [sent, idle]) socket.destroy();
  });

  test('closed: listeners end, channels close without an error', async (t, connection) => {
    const { handler, next } = collect();
    const listener = await connection.requestForward({ kind: 'tcpip', port: 0 }, handler);
    const there = await dialTo(portOf(listener.address));
    const here = await next();
    here.on('error', (error) => t.fail(error.message));
    const closed = once(here, 'close');
    await connection.close();
    await Promise.all([listener.closed, closed]);
    await t.rejects(connection.requestForward({ kind: 'tcpip', port: 0 }, handler), { code: 'CONNECTION_CLOSED' });
    t.equal(await textOf(there), '');
    there.destroy();
  });

  test('closed with drain: the open channel finishes first, new ones are not taken', async (t, connection) => {
    const { handler, next, count } = collect();
    const listener = await connection.requestForward({ kind: 'tcpip', port: 0 }, handler);
    const there = await dialTo(portOf(listener.address));
    const here = await next();
    const closing = connection.close({ drainMs: 10_000 });
    const late = await dialTo(portOf(listener.address));
    t.equal(await textOf(late), '');
    late.end();
    there.end('finished');
    t.equal(await textOf(here), 'finished');
    here.end();
    await closing;
    t.equal(count(), 1);
    there.destroy();
  });

  test('closed with drain: a far reader that is late gets all that was written', async (t, connection) => {
    const { handler, next } = collect();
    const listener = await connection.requestForward({ kind: 'tcpip', port: 0 }, handler);
    const there = await dialTo(portOf(listener.address));
    const here = await next();
    there.end();
    t.equal(await textOf(here), '');
    const bytes = Buffer.alloc(many, 'l');
    const left = once(here, 'close');
    here.end(bytes);
    await left;
    const closing = connection.close({ drainMs: 60_000 });
    let length = 0;
    for await (const chunk of there as AsyncIterable<Buffer>) {
      length += chunk.length;
      await turn();
    }
    t.equal(length, bytes.length);
    await closing;
  });

  test('aborted: at once, before and while it is asked for, and the place is free again', async (t, connection) => {
    const request = { kind: 'tcpip', port: await freePort() } as const;
    const before = connection.requestForward(request, () => undefined, { signal: AbortSignal.abort() });
    await t.rejects(before, { code: 'ABORTED' });
    const stop = new AbortController();
    const while_ = connection.requestForward(request, () => undefined, { signal: stop.signal });
    while_.catch(() => undefined);
    setImmediate(() => stop.abort());
    await t.rejects(while_, { code: 'ABORTED' });
    const { handler, next } = collect();
    await using _ = await connection.requestForward(request, handler);
    const there = await dialTo(request.port);
    (await next()).end('mine');
    t.equal(await textOf(there), 'mine');
    there.end();
  });

  test('what cannot be asked for is refused by name', async (t, connection) => {
    for (const request of [
      { kind: 'tcpip', port: 65536 },
      { kind: 'tcpip', port: -1 },
      { kind: 'tcpip', port: 1.5 },
      { kind: 'tcpip', port: 0, bindAddress: 'a\0b' },
      { kind: 'streamlocal', path: '' },
      { kind: 'streamlocal', path: '/a\0b' },
    ] as const) {
      await t.rejects(
        connection.requestForward(request, () => undefined),
        { code: 'OPTION_INVALID' },
        JSON.stringify(request),
      );
    }
  });

  test(
    'bind addresses are ssh’s: localhost, every address, one address',
    async (t, connection, sshd) => {
      for (const [bindAddress, logged] of [
        [undefined, 'localhost'],
        ['localhost', 'localhost'],
        ['', ''],
        ['*', ''],
        ['127.0.0.1', '127.0.0.1'],
      ] as const) {
        const before = (await sshd.log()).length;
        const listener = await connection.requestForward({ kind: 'tcpip', bindAddress, port: 0 }, () => undefined);
        t.match((await sshd.log()).slice(before), `tcpip-forward listen ${logged} port 0`, String(bindAddress));
        await listener.close();
      }
    },
    { config: ['GatewayPorts clientspecified'] },
  );
}

function echo(incoming: IncomingChannel): void {
  const channel = incoming.accept();
  channel.pipe(channel);
}

/** Accepts everything. */
function collect(): {
  handler: (incoming: IncomingChannel) => void;
  next: () => Promise<Channel>;
  count: () => number;
} {
  const accepted: Channel[] = [];
  let taken = 0;
  return {
    handler: (incoming) => void accepted.push(incoming.accept()),
    next: async () =>
      await waitUntil('a channel to come in', () => accepted[taken]).then((channel) => ((taken += 1), channel)),
    count: () => accepted.length,
  };
}

function portOf(address: RemoteAddress): number {
  return address.kind === 'tcpip' ? address.port : 0;
}

/** A folder in which the account of the fixture may make a socket. */
async function openFolder(sshd: Sshd): Promise<string> {
  const folder = join(sshd.folder, 'open');
  await mkdir(folder);
  await chmod(folder, 0o777);
  return folder;
}
