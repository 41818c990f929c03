import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type Channel, type Connection, insecureAcceptAnyHostKey, silentLogger } from '@viassh/core';
import { startSshd, waitUntil } from '@viassh/testing';
import ssh2 from 'ssh2';
import t from 'tap';
import type { Client } from 'ssh2';
import { message, sendMessage } from '../../src/ssh2-private/payload.ts';
import { connectBy, connectTo, failureOf, output, routeBy, makeServerKey } from '../connect-to.ts';

t.test('an abort while the server thinks about the request closes the channel', async (t) => {
  const asked = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const server = new ssh2.Server({ hostKeys: [makeServerKey()] }, (peer) => {
    peer.on('error', () => undefined).on('authentication', (login) => login.accept());
    peer.on('session', (acceptSession) => {
      acceptSession()
        .on('exec', () => asked.resolve())
        .on('close', () => closed.resolve());
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  const route = await routeBy({ configFile: 'none', port: (server.address() as AddressInfo).port }, 'x@127.0.0.1');
  await using connection = await connectBy(route, { verifyHostKey: insecureAcceptAnyHostKey(silentLogger) });
  const controller = new AbortController();
  const opening = connection.openSession({ kind: 'exec', command: 'think', signal: controller.signal });
  await asked.promise;
  controller.abort();
  t.equal((await failureOf(opening)).code, 'ABORTED');
  await closed.promise;
});

/** Writes for as long as it is told to go on, up to a limit; how often that was. */
function writeOn(channel: Channel): number {
  const chunk = Buffer.alloc(64 * 1024);
  let writes = 0;
  while (channel.write(chunk) && writes < 10_000) writes += 1;
  return writes;
}

t.test('who writes for as long as it is true comes to an end where all is dropped', async (t) => {
  const peers: { peer: ssh2.Connection; stream: ssh2.ServerChannel }[] = [];
  const server = new ssh2.Server({ hostKeys: [makeServerKey()] }, (peer) => {
    peer.on('error', () => undefined).on('authentication', (login) => login.accept());
    peer.on('session', (acceptSession) => {
      acceptSession().on('exec', (acceptExec) => {
        const stream = acceptExec();
        stream.on('error', () => undefined).write('waits unread');
        peers.push({ peer, stream });
      });
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  const route = await routeBy({ configFile: 'none', port: (server.address() as AddressInfo).port }, 'x@127.0.0.1');
  await using connection = await connectBy(route, { verifyHostKey: insecureAcceptAnyHostKey(silentLogger) });
  const unread = await connection.openSession({ kind: 'exec', command: 'unread' });
  const lost = await connection.openSession({ kind: 'exec', command: 'lost' });
  const [first] = peers;
  if (first === undefined) throw new Error('two sessions');

  const { id } = (first.stream as unknown as { outgoing: { id: number } }).outgoing;
  sendMessage(first.peer as unknown as Client, message.channelRequest, id, 'eow@openssh.com', false);
  await connection.ping();
  t.ok(writeOn(unread) < 10_000, 'the far end does not read any more');
  await once(unread, 'drain');

  (first.peer as unknown as { _sock: { destroy(): void } })._sock.destroy();
  await connection.closed;
  t.equal(lost.destroyed, false, 'what came waits');
  t.ok(writeOn(lost) < 10_000, 'the connection was lost');
  await once(lost, 'drain');
  unread.destroy();
  lost.destroy();
});

t.test('channels', async (t) => {
  await using sshd = await startSshd({ config: ['MaxSessions 2', 'AcceptEnv VIASSH_*'] });
  const connect = (...options: string[]): Promise<Connection> => connectTo(sshd, { options });

  await t.test('an abort while one is being opened leaves none behind', async (t) => {
    await using connection = await connect();
    for (let round = 0; round < 5; round += 1) {
      const controller = new AbortController();
      const opening = connection.openSession({ kind: 'exec', command: 'cat', signal: controller.signal });
      controller.abort();
      t.equal((await failureOf(opening)).code, 'ABORTED');
    }
    // the server allows two: those that leaked would use them up for good
    await waitUntil(
      'room for a session',
      async () => (await output(connection, 'echo room').catch(() => '')) === 'room\n',
    );
  });

  await t.test('what the far end does not read any more is dropped without an error or a hang', async (t) => {
    await using connection = await connect();
    const channel = await connection.openSession({ kind: 'exec', command: 'exit 4' });
    channel.stderr.resume();
    t.strictSame(await channel.exit, { kind: 'status', code: 4 });
    await new Promise<void>((resolve, reject) =>
      channel.write(Buffer.alloc(8_000_000), (error) => (error ? reject(error) : resolve())),
    );
    channel.resume();
    await once(channel, 'close');
    t.equal(channel.errored, null);
  });

  await t.test('a write that waits for the window when the far end closes is let go', async (t) => {
    await using connection = await connect();
    const channel = await connection.openSession({ kind: 'exec', command: 'read line; exit 0' });
    channel.stderr.resume();
    channel.write('go\n');
    await new Promise<void>((resolve, reject) =>
      channel.write(Buffer.alloc(16_000_000), (error) => (error ? reject(error) : resolve())),
    );
    t.strictSame(await channel.exit, { kind: 'status', code: 0 });
  });

  await t.test('stderr that nobody reads holds the server back, though stdout is read', async (t) => {
    await using connection = await connect();
    const channel = await connection.openSession({
      kind: 'exec',
      command: 'while :; do echo o; head -c 65536 /dev/zero >&2; done',
    });
    channel.resume();
    let seen = -1;
    await waitUntil(
      'the window to be used up',
      async () => {
        const before = seen;
        seen = channel.stderr.readableLength;
        return seen > 1_000_000 && seen === before;
      },
      { everyMs: 200 },
    );
    t.ok(seen <= 2 * 1024 * 1024, `${seen} bytes wait`);
    channel.destroy();
    await once(channel, 'close');
  });

  await t.test('bytes that were set to text are all granted again', async (t) => {
    await using connection = await connect();
    const channel = await connection.openSession({ kind: 'exec', command: "yes 'ünïcödé' | head -c 9000000" });
    channel.stderr.resume();
    let length = 0;
    for await (const text of channel.setEncoding('utf8')) length += Buffer.byteLength(text as string);
    t.equal(length, 9_000_000);
  });

  await t.test('the exit status comes though stdout ended long before', async (t) => {
    await using connection = await connect();
    const channel = await connection.openSession({ kind: 'exec', command: 'exec >&- 2>&-; read line; exit 5' });
    channel.resume();
    channel.stderr.resume();
    await once(channel, 'end');
    channel.end('on\n');
    t.strictSame(await channel.exit, { kind: 'status', code: 5 });
  });

  await t.test('SetEnv reaches every session; the request wins', async (t) => {
    await using connection = await connect('SetEnv=VIASSH_A=configured VIASSH_B=configured');
    const channel = await connection.openSession({
      kind: 'exec',
      command: 'echo $VIASSH_A $VIASSH_B',
      env: { VIASSH_B: 'asked' },
    });
    channel.stderr.resume();
    t.equal((await channel.toArray()).join(''), 'configured asked\n');
  });

  await t.test('a refused session tells of MaxSessions', async (t) => {
    await using connection = await connect();
    const channels = await Promise.all([1, 2].map(() => connection.openSession({ kind: 'exec', command: 'cat' })));
    t.match(await failureOf(connection.openSession({ kind: 'exec', command: 'cat' })), {
      code: 'CHANNEL_REFUSED',
      hint: /MaxSessions/,
    });
    for (const channel of channels) channel.destroy();
  });

  await t.test('a signal that RFC 4254 does not know is refused here', async (t) => {
    await using connection = await connect();
    const channel = await connection.openSession({ kind: 'exec', command: 'echo up; exec cat' });
    await once(channel, 'data');
    t.throws(() => channel.sendSignal('WINCH'), { code: 'OPTION_INVALID' });
    channel.sendSignal('TERM');
    t.match(await channel.exit, { kind: 'signal', signal: 'TERM' });
  });

  await t.test('a socket that refuses names the reason; one that answers carries half-closes both ways', async (t) => {
    await using connection = await connect();
    const path = join(sshd.folder, 'socket');
    t.match(await failureOf(connection.openDirectStreamlocal(path)), {
      code: 'CHANNEL_REFUSED',
      message: /connect failed/,
    });
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('data', () => undefined).on('end', () => socket.end('after your end'));
    }).listen({ path, writableAll: true, readableAll: true });
    t.teardown(() => server.close());
    await once(server, 'listening');
    const channel = await connection.openDirectStreamlocal(path);
    channel.end('hello');
    t.equal((await channel.toArray()).join(''), 'after your end');
    if (!channel.closed) await once(channel, 'close');
  });

  await t.test('draining waits until sshd has handed on what was written last', async (t) => {
    await using connection = await connect();
    await using other = await connect();
    const path = join(sshd.folder, 'slow');
    const accepted = Promise.withResolvers<Socket>();
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.end('all said');
      accepted.resolve(socket.pause());
    }).listen({ path, writableAll: true, readableAll: true });
    t.teardown(() => server.close());
    await once(server, 'listening');
    const channel = await connection.openDirectStreamlocal(path);
    channel.end(Buffer.alloc(1_500_000)); // more than a Unix socket holds, less than the window of sshd
    channel.resume();
    if (!channel.closed) await once(channel, 'close');
    const closing = connection.close({ drainMs: 3_600_000 });
    const socket = await accepted.promise;
    for (let trips = 0; trips < 20; trips += 1) await other.ping(); // time for a goodbye to arrive
    let length = 0;
    socket
      .on('error', () => undefined)
      .on('data', (chunk: Buffer) => (length += chunk.length))
      .resume();
    if (!socket.closed) await once(socket, 'close');
    await closing;
    t.equal(length, 1_500_000);
  });
});
