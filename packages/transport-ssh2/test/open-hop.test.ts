import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { createLogger, insecureAcceptAnyHostKey, silentLogger } from '@viassh/core';
import { startSshd } from '@viassh/testing';
import ssh2 from 'ssh2';
import t, { type Test } from 'tap';
import { connectBy, connectTo, failureOf, makeServerKey, output, routeBy } from './connect-to.ts';

/** What happens when `serve` is what listens. */
async function failureWith(
  t: Test,
  serve: (socket: Socket) => void,
  ...options: string[]
): Promise<Awaited<ReturnType<typeof failureOf>>> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on('error', () => undefined));
    serve(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const route = await routeBy(
    {
      configFile: 'none',
      port: (server.address() as AddressInfo).port,
      options: ['UserKnownHostsFile=/dev/null', ...options],
    },
    'x@127.0.0.1',
  );
  const error = await failureOf(connectBy(route));
  await Promise.all(sockets.map(closeOf)); // nothing of ours stays connected
  return error;
}

t.test('a web server: PROTOCOL_ERROR with what it said', async (t) => {
  const error = await failureWith(t, (socket) => socket.end('HTTP/1.1 400 Bad Request\r\nServer: web\r\n\r\n'));
  t.match(error, { code: 'PROTOCOL_ERROR', message: /does not speak SSH; it said: HTTP\/1\.1 400/ });
});

t.test('garbage: PROTOCOL_ERROR, or CONNECT_TIMEOUT when it never ends', async (t) => {
  t.equal((await failureWith(t, (socket) => socket.write(Buffer.alloc(100_000, 0x41)))).code, 'PROTOCOL_ERROR');
  t.equal((await failureWith(t, (socket) => socket.write('SSH-1.5-old\r\n'))).code, 'PROTOCOL_ERROR');
  t.equal(
    (await failureWith(t, (socket) => socket.write('SSH-2.0-x\r\n\xff\xff\xff\xff\xff\xff\xff\xff'))).code,
    'PROTOCOL_ERROR',
  );
});

t.test('it closes at once, and after its greeting: SERVER_CLOSED', async (t) => {
  t.equal((await failureWith(t, (socket) => socket.end())).code, 'SERVER_CLOSED');
  t.equal((await failureWith(t, (socket) => socket.resetAndDestroy())).code, 'SERVER_CLOSED');
  t.equal((await failureWith(t, (socket) => socket.end('SSH-2.0-shy\r\n'))).code, 'SERVER_CLOSED');
});

t.test('it says nothing, or only its greeting: CONNECT_TIMEOUT', async (t) => {
  t.equal((await failureWith(t, () => undefined, 'ConnectTimeout=1')).code, 'CONNECT_TIMEOUT');
  t.equal(
    (await failureWith(t, (socket) => socket.write('SSH-2.0-mute\r\n'), 'ConnectTimeout=1')).code,
    'CONNECT_TIMEOUT',
  );
});

t.test('it takes no notice of what we log in with: CONNECT_TIMEOUT', async (t) => {
  const server = new ssh2.Server({ hostKeys: [makeServerKey()] }, (peer) => {
    peer.on('error', () => undefined); // an 'authentication' that nobody answers
    peer.on('authentication', () => undefined);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const route = await routeBy({ configFile: 'none', port, options: ['ConnectTimeout=1'] }, 'x@127.0.0.1');
  const failure = await failureOf(connectBy(route, { verifyHostKey: insecureAcceptAnyHostKey(silentLogger) }));
  t.match(failure, { code: 'CONNECT_TIMEOUT', message: /during the login/ });
});

t.test('a name without an address: HOST_NOT_FOUND', async (t) => {
  const route = await routeBy(
    { configFile: 'none', options: ['UserKnownHostsFile=/dev/null'] },
    'x@no-such-host.invalid',
  );
  t.equal((await failureOf(connectBy(route))).code, 'HOST_NOT_FOUND');
});

t.test('a banner goes to the log', async (t) => {
  await using sshd = await startSshd({ config: ['Banner /etc/hostname'] });
  const lines: string[] = [];
  await using _connection = await connectTo(sshd, { log: createLogger('info', (_level, line) => lines.push(line)) });
  t.ok(lines.includes(hostname()), lines.join());
});

t.test('a verifier that throws has refused; nothing is logged in to', async (t) => {
  await using sshd = await startSshd();
  t.match(
    await failureOf(
      connectTo(sshd, { verifyHostKey: { kind: 'custom', verify: () => Promise.reject(new Error('disk on fire')) } }),
    ),
    {
      code: 'HOST_KEY_REFUSED',
      message: /disk on fire/,
    },
  );
  t.notMatch(await sshd.log(), /Accepted/);
});

t.test('a verifier that answers anything but a true `accepted` has refused', async (t) => {
  await using sshd = await startSshd();
  for (const answer of [undefined, {}, { accepted: 'no' }, { accepted: false, reason: 'not today' }]) {
    const verify = (): Promise<never> => Promise.resolve(answer as never);
    const error = await failureOf(connectTo(sshd, { verifyHostKey: { kind: 'custom', verify } }));
    t.equal(error.code, 'HOST_KEY_REFUSED', JSON.stringify(answer));
  }
  t.notMatch(await sshd.log(), /Accepted/);
});

t.test('RSA host keys that are shorter than RequiredRSASize are refused', async (t) => {
  await using sshd = await startSshd({ hostKeyTypes: ['rsa'] });
  const error = await failureOf(
    connectTo(sshd, { options: ['RequiredRSASize=4096'], verifyHostKey: insecureAcceptAnyHostKey(silentLogger) }),
  );
  t.match(error, { code: 'HOST_KEY_REFUSED', message: /2048 bits/ });
});

t.test('a server that is frozen is lost when its keepalives go unanswered', async (t) => {
  await using sshd = await startSshd({ mode: 'listen' });
  const connection = await connectTo(sshd, { options: ['ServerAliveInterval=1', 'ServerAliveCountMax=1'] });
  await output(connection, 'true'); // by now every process that will serve this connection is there
  for (const pid of await sshd.processes()) process.kill(pid, 'SIGSTOP');
  t.match(await connection.closed, { kind: 'lost', error: { code: 'CONNECTION_LOST', message: /keepalives/ } });
});

function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => (socket.closed ? resolve() : void socket.resume().once('close', () => resolve())));
}
