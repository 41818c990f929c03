import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Channel, Connection, IncomingChannel, RemoteListener } from '@viassh/core';
import { startSshd, waitUntil } from '@viassh/testing';
import t from 'tap';
import { connectTo, failureOf } from '../connect-to.ts';

/** Connects, and tells what comes back until the end; '' when it is closed without a word. */
async function talk(to: { port: number; host?: string } | { path: string }, word: string): Promise<string> {
  const socket: Socket = connect(to);
  socket.on('error', () => undefined);
  socket.end(word);
  const heard: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => heard.push(chunk));
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return Buffer.concat(heard).toString();
}

/** Answers with its name, the kind and what it was told. */
function answerAs(name: string, seen: IncomingChannel[] = []): (incoming: IncomingChannel) => void {
  return (incoming) => {
    seen.push(incoming);
    const channel = incoming.accept();
    void channel
      .toArray()
      .then((chunks) => channel.end(`${name} ${channel.type} ${Buffer.concat(chunks as Buffer[]).toString()}`));
  };
}

function portOf({ address }: RemoteListener): number {
  return address.kind === 'tcpip' ? address.port : 0;
}

t.test('remote forwards', async (t) => {
  await using sshd = await startSshd({ config: ['GatewayPorts clientspecified'] });
  const open = (): Promise<Connection> => connectTo(sshd);

  await t.test('port 0: the one that the server chose; who connected is told', async (t) => {
    await using connection = await open();
    const seen: IncomingChannel[] = [];
    const listener = await connection.requestForward({ kind: 'tcpip', port: 0 }, answerAs('one', seen));
    t.match(listener.address, { kind: 'tcpip', bindAddress: 'localhost' });
    t.ok(portOf(listener) > 1023);
    const socket = connect(portOf(listener), '127.0.0.1');
    await once(socket, 'connect');
    const { localPort } = socket;
    socket.end('hi');
    t.equal(String(await socket.toArray()), 'one forwarded-tcpip hi');
    t.match(seen[0]?.originator, { address: '127.0.0.1', port: localPort });
  });

  await t.test('several binds of one port, and several ports: each channel comes to its own', async (t) => {
    await using connection = await open();
    const first = await connection.requestForward({ kind: 'tcpip', port: 0 }, answerAs('localhost'));
    const port = portOf(first);
    const second = await connection.requestForward(
      { kind: 'tcpip', bindAddress: '127.0.0.2', port },
      answerAs('second'),
    );
    const every = await connection.requestForward({ kind: 'tcpip', bindAddress: '*', port: 0 }, answerAs('every'));
    t.match(every.address, { bindAddress: '' });
    t.equal(await talk({ port, host: '127.0.0.1' }, 'a'), 'localhost forwarded-tcpip a');
    t.equal(await talk({ port, host: '127.0.0.2' }, 'b'), 'second forwarded-tcpip b');
    t.equal(await talk({ port: portOf(every), host: '127.0.0.3' }, 'c'), 'every forwarded-tcpip c');
    await second.close();
    t.equal(await talk({ port, host: '127.0.0.2' }, 'd'), '', 'cancelled');
    t.equal(await talk({ port, host: '127.0.0.1' }, 'e'), 'localhost forwarded-tcpip e');
  });

  await t.test('asked for at once, each gets its own answer', async (t) => {
    await using connection = await open();
    const names = ['a', 'b', 'c', 'd'];
    const [listeners, roundTrip] = await Promise.all([
      Promise.all(names.map((name) => connection.requestForward({ kind: 'tcpip', port: 0 }, answerAs(name)))),
      connection.ping(),
    ]);
    t.type(roundTrip, 'number');
    for (const [index, listener] of listeners.entries())
      t.equal(await talk({ port: portOf(listener) }, ''), `${names[index]} forwarded-tcpip `);
  });

  await t.test('close: the port is free again, what came through it lives on, and a second close waits', async (t) => {
    await using connection = await open();
    const opened = Promise.withResolvers<Channel>();
    const listener = await connection.requestForward({ kind: 'tcpip', port: 0 }, (incoming) =>
      opened.resolve(incoming.accept()),
    );
    const socket = connect(portOf(listener), '127.0.0.1');
    const channel = await opened.promise;
    await Promise.all([listener.close(), listener.close()]);
    await listener.closed;
    const again = await connection.requestForward({ kind: 'tcpip', port: portOf(listener) }, answerAs('again'));
    t.equal(await talk({ port: portOf(again) }, ''), 'again forwarded-tcpip ');
    channel.end('still here');
    t.equal(String(await socket.toArray()), 'still here');
  });

  await t.test('undecided, refused and thrown: closed, and the next one is served', async (t) => {
    await using connection = await open();
    const handlers: ((incoming: IncomingChannel) => void | Promise<void>)[] = [
      () => undefined,
      async () => undefined,
      (incoming) => incoming.refuse('no'),
      () => {
        throw new Error('broken');
      },
      (incoming) => {
        incoming.refuse();
        t.throws(() => incoming.accept(), { code: 'CHANNEL_REFUSED' });
      },
      answerAs('last'),
    ];
    const listener = await connection.requestForward({ kind: 'tcpip', port: 0 }, (incoming) =>
      handlers.shift()?.(incoming),
    );
    for (let left = handlers.length - 1; left > 0; left -= 1) t.equal(await talk({ port: portOf(listener) }, 'x'), '');
    t.equal(await talk({ port: portOf(listener) }, 'x'), 'last forwarded-tcpip x');
  });

  await t.test('a Unix socket of the far end', async (t) => {
    await using connection = await open();
    const path = join(sshd.home, 'forwarded');
    const seen: IncomingChannel[] = [];
    const listener = await connection.requestForward({ kind: 'streamlocal', path }, answerAs('unix', seen));
    t.strictSame(listener.address, { kind: 'streamlocal', path });
    t.equal(await talk({ path }, 'hi'), 'unix forwarded-streamlocal@openssh.com hi');
    t.equal(seen[0]?.originator, undefined);
    t.match(await failureOf(connection.requestForward({ kind: 'streamlocal', path }, answerAs('x'))), {
      code: 'FORWARD_REFUSED',
    });
    await listener.close();
    t.equal(await talk({ path }, 'hi'), '');
  });

  await t.test('a taken port is refused with a hint', async (t) => {
    await using connection = await open();
    const listener = await connection.requestForward({ kind: 'tcpip', port: 0 }, answerAs('x'));
    const refused = connection.requestForward({ kind: 'tcpip', port: portOf(listener) }, answerAs('y'));
    t.match(await failureOf(refused), { code: 'FORWARD_REFUSED', hint: /in use/ });
    for (const port of [-1, 70000, 1.5])
      t.equal(
        (await failureOf(connection.requestForward({ kind: 'tcpip', port }, () => undefined))).code,
        'OPTION_INVALID',
      );
    const noPath = connection.requestForward({ kind: 'streamlocal', path: '' }, () => undefined);
    t.equal((await failureOf(noPath)).code, 'OPTION_INVALID');
  });

  await t.test('an abort gives back what the server grants afterwards', async (t) => {
    await using connection = await open();
    const holder = await connection.requestForward({ kind: 'tcpip', port: 0 }, answerAs('x'));
    const port = portOf(holder);
    await holder.close();
    const controller = new AbortController();
    const asked = connection.requestForward({ kind: 'tcpip', port }, answerAs('x'), { signal: controller.signal });
    controller.abort();
    t.equal((await failureOf(asked)).code, 'ABORTED');
    const again = await waitUntil('the port to be free', () =>
      connection.requestForward({ kind: 'tcpip', port }, answerAs('again')).catch(() => undefined),
    );
    t.equal(portOf(again), port);
  });

  await t.test('the end of the connection ends it, and draining takes no more', async (t) => {
    const connection = await open();
    const opened = Promise.withResolvers<Channel>();
    let count = 0;
    const listener = await connection.requestForward({ kind: 'tcpip', port: 0 }, (incoming) => {
      count += 1;
      opened.resolve(incoming.accept());
    });
    const socket = connect(portOf(listener), '127.0.0.1');
    const channel = await opened.promise;
    const closing = connection.close({ drainMs: 60_000 });
    await listener.closed;
    t.equal(await talk({ port: portOf(listener) }, 'late'), '');
    channel.end('drained');
    t.equal(String(await socket.toArray()), 'drained');
    channel.resume();
    await closing;
    t.equal(count, 1);
    t.equal(
      (await failureOf(connection.requestForward({ kind: 'tcpip', port: 0 }, () => undefined))).code,
      'CONNECTION_CLOSED',
    );
  });

  await t.test('a lost connection resolves closed and rejects what is asked', async (t) => {
    const connection = await open();
    const listener = await connection.requestForward({ kind: 'tcpip', port: 0 }, () => undefined);
    await sshd.kill();
    await listener.closed;
    t.equal(
      (await failureOf(connection.requestForward({ kind: 'tcpip', port: 0 }, () => undefined))).code,
      'CONNECTION_LOST',
    );
    await listener.close();
  });
});
