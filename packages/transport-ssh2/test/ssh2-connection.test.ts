import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import {
  type Connection,
  type ConnectOptions,
  insecureAcceptAnyHostKey,
  type SessionChannel,
  silentLogger,
} from '@viassh/core';
import { startSshd, waitUntil } from '@viassh/testing';
import ssh2 from 'ssh2';
import t from 'tap';
import { connectBy, connectTo, failureOf, makeServerKey, output, routeBy } from './connect-to.ts';

/** What a server of ssh2 hears of sessions, in order. */
interface Counting extends AsyncDisposable {
  readonly heard: string[];
  connect(options?: Partial<ConnectOptions>): Promise<Connection>;
  readonly cut: () => void;
}

async function startCounting(mostSessions = Infinity): Promise<Counting> {
  const heard: string[] = [];
  const peers: ssh2.Connection[] = [];
  let open = 0;
  const server = new ssh2.Server({ hostKeys: [makeServerKey()] }, (peer) => {
    peers.push(peer);
    peer.on('error', () => undefined).on('authentication', (login) => login.accept());
    peer.on('session', (accept, reject) => {
      heard.push(open < mostSessions ? 'open' : 'refused');
      if (open >= mostSessions) return reject();
      open += 1;
      const session = accept();
      session.on('close', () => (open -= 1));
      session.on('pty', (acceptPty, rejectPty, { term }) => {
        heard.push(`pty ${term}`);
        if (term === 'refused') rejectPty?.();
        else acceptPty?.();
      });
      session.on('exec', (acceptExec, _reject, { command }) => {
        heard.push(`exec ${command}`);
        const stream = acceptExec();
        stream.on('error', () => undefined);
        if (command === 'stay') return;
        stream.exit(0);
        stream.end();
      });
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const typed = { configFile: 'none', port: (server.address() as AddressInfo).port };
  const cut = (): void => {
    for (const peer of peers) (peer as unknown as { _sock: { destroy(): void } })._sock.destroy();
  };
  return {
    heard,
    connect: async (options) =>
      connectBy(await routeBy(typed, 'x@127.0.0.1'), {
        verifyHostKey: insecureAcceptAnyHostKey(silentLogger),
        ...options,
      }),
    cut,
    async [Symbol.asyncDispose]() {
      cut();
      server.close();
    },
  };
}

async function run(connection: Connection, command = 'true'): Promise<SessionChannel> {
  const channel = await connection.openSession({ kind: 'exec', command });
  channel.resume();
  channel.stderr.resume();
  return channel;
}

t.test('the second command finds a session that is open', async (t) => {
  await using server = await startCounting();
  await using connection = await server.connect();
  t.equal(server.heard.length, 0, 'none before the first use');
  await (await run(connection, 'one')).exit;
  await waitUntil('a spare session', async () => server.heard.length === 3);
  await (await run(connection, 'two')).exit;
  await waitUntil('the next spare session', async () => server.heard.length === 5);
  t.strictSame(server.heard, ['open', 'exec one', 'open', 'exec two', 'open']);
});

t.test('without a spare session', async (t) => {
  await using server = await startCounting();
  await using connection = await server.connect({ spareSession: false });
  for (const command of ['one', 'two']) await (await run(connection, command)).exit;
  await connection.ping(); // what was sent before it was heard before it
  t.strictSame(server.heard, ['open', 'exec one', 'open', 'exec two']);
});

t.test(
  'a server that refuses the spare one is asked for no other, and every session that it allows may be had',
  async (t) => {
    await using server = await startCounting(2);
    await using connection = await server.connect();
    const first = await run(connection, 'stay');
    const second = await run(connection, 'stay');
    t.match(await failureOf(connection.openSession({ kind: 'exec', command: 'third' })), { code: 'CHANNEL_REFUSED' });
    second.destroy();
    await waitUntil(
      'room',
      async () =>
        await run(connection, 'again').then(
          () => true,
          () => false,
        ),
    );
    first.destroy();
  },
);

t.test('the spare session is not waited for as the connection drains', async (t) => {
  await using server = await startCounting();
  const connection = await server.connect();
  const channel = await run(connection, 'stay');
  await waitUntil('a spare session', async () => server.heard.length === 3);
  await connection.ping(); // its confirmation is here, too
  const closing = connection.close({ drainMs: 3_600_000 });
  channel.destroy();
  await closing;
  t.strictSame(await connection.closed, { kind: 'closed' });
});

t.test('pty and request go out together; a refused terminal closes what was started', async (t) => {
  await using server = await startCounting();
  await using connection = await server.connect({ spareSession: false });
  const pty = { term: 'refused', columns: 80, rows: 24 };
  const refused = await failureOf(connection.openSession({ kind: 'exec', command: 'stay', pty }));
  t.match(refused, { code: 'REQUEST_REFUSED', message: /terminal/ });
  t.strictSame(server.heard, ['open', 'pty refused', 'exec stay'], 'asked for before the refusal was read');
});

t.test('ping', async (t) => {
  await t.test('a real server answers; many at once, between commands', async (t) => {
    await using sshd = await startSshd();
    await using connection = await connectTo(sshd);
    const [text, ...roundTrips] = await Promise.all([
      output(connection, 'echo between'),
      ...Array.from({ length: 5 }, () => connection.ping()),
    ]);
    t.equal(text, 'between\n');
    for (const ms of roundTrips) t.ok((ms ?? 0) > 0 && (ms ?? Infinity) < 60_000, `${ms} ms`);
  });

  await t.test('abort, loss and close end the wait', async (t) => {
    await using server = await startCounting();
    const [aborted, lost, closed] = await Promise.all([server.connect(), server.connect(), server.connect()]);
    const controller = new AbortController();
    const waiting = aborted.ping({ signal: controller.signal });
    controller.abort();
    t.equal((await failureOf(waiting)).code, 'ABORTED');
    t.equal((await failureOf(aborted.ping({ signal: controller.signal }))).code, 'ABORTED');
    const closing = closed.ping();
    const failure = failureOf(closing);
    await closed.close();
    t.equal((await failure).code, 'CONNECTION_CLOSED');
    const losing = failureOf(lost.ping());
    server.cut();
    t.equal((await losing).code, 'CONNECTION_LOST');
    t.equal((await failureOf(lost.ping())).code, 'CONNECTION_LOST');
    t.equal((await failureOf(closed.ping())).code, 'CONNECTION_CLOSED');
    await Promise.all([aborted.close(), lost.close()]);
  });

  await t.test('a ping that was given up takes no answer from the next', async (t) => {
    await using sshd = await startSshd();
    await using connection = await connectTo(sshd);
    const controller = new AbortController();
    const given = failureOf(connection.ping({ signal: controller.signal }));
    const listener = connection.requestForward({ kind: 'tcpip', port: 0 }, () => undefined);
    controller.abort();
    t.equal((await given).code, 'ABORTED');
    const { address } = await listener;
    t.ok(address.kind === 'tcpip' && address.port > 0);
  });
});
