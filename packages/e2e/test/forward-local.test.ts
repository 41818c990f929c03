import { randomBytes, createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, stat } from 'node:fs/promises';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { startSshd, waitUntil } from '@viassh/testing';
import { assertFailure } from './assert-failure.ts';
import { onBothTransports, onTransport } from './both-transports.ts';
import { answering, answers, portOf, say, serve, startForward } from './forwarding.ts';
import { overhear } from './overheard.ts';
import { at, viassh } from './run-viassh.ts';

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

onBothTransports(
  '-L: each form leads where it says: ports, addresses of both families, Unix sockets at either end',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const sshd = stack.use(await startSshd({ config: ['AddressFamily any'] }));
    const port = async (host: string): Promise<number> =>
      ((await serve(stack, { host, port: 0 }, answering(host))).address() as AddressInfo).port;
    const [v4, v6] = [await port('127.0.0.1'), await port('::1')];
    const far = join(sshd.folder, 'far.sock');
    await serve(stack, { path: far }, answering('unix'));
    await chmod(far, 0o666); // the user there connects
    const near = (name: string): string => join(sshd.folder, `${name}.sock`);
    const forms: readonly (readonly [form: string, reaches: string])[] = [
      [`0:127.0.0.1:${v4}`, '127.0.0.1'],
      [`0:localhost:${v4}`, '127.0.0.1'],
      [`localhost:0:127.0.0.1:${v4}`, '127.0.0.1'],
      [`127.0.0.3:0:127.0.0.1:${v4}`, '127.0.0.1'],
      [`0:[::1]:${v6}`, '::1'],
      [`[::1]:0:[::1]:${v6}`, '::1'],
      [`::1/0/::1/${v6}`, '::1'],
      [`0:${far}`, 'unix'],
      [`${near('a')}:127.0.0.1:${v4}`, '127.0.0.1'],
      [`${near('b')}:${far}`, 'unix'],
    ];
    const args = forms.flatMap(([form]) => ['-L', form]);
    await using forward = stack.use(await startForward(sshd, transport, args, { count: forms.length }));
    for (const [index, [form, reaches]] of forms.entries()) {
      const place = forward.places[index] ?? { path: 'none' };
      t.equal(await say(place, form), `${reaches}: ${form}`, form);
    }
    t.equal((await stat(near('b'))).mode & 0o777, 0o600, 'a Unix socket is for its owner alone');
    const [first, , , third] = forward.places.map((place) => ('port' in place ? place.port : 0));
    t.notOk(await answers({ host: '127.0.0.2', port: first ?? 0 }), 'without a bind address it is loopback');
    t.ok(await answers({ host: '127.0.0.3', port: third ?? 0 }));
    forward.kill('SIGTERM');
    t.strictSame(await forward.exit, { code: 143, signal: null });
    t.equal(forward.stderr(), '');
    t.notOk(existsSync(near('a')) || existsSync(near('b')), 'the sockets are gone');
    t.notOk(await answers({ host: '127.0.0.1', port: first ?? 0 }));
  },
);

onTransport(
  'ssh2',
  '-L: -g, an empty bind address, * and GatewayPorts open it to other addresses',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const sshd = stack.use(await startSshd());
    const echo = await serve(stack, { host: '127.0.0.1', port: 0 }, answering('far'));
    const to = `127.0.0.1:${(echo.address() as AddressInfo).port}`;
    const ways = [
      ['-g', '-L', `0:${to}`],
      ['-L', `*:0:${to}`],
      ['-L', `:0:${to}`],
      ['-o', 'GatewayPorts=yes', '-L', `0:${to}`],
    ];
    for (const way of ways) {
      await using forward = await startForward(sshd, transport, way);
      const place = { host: '127.0.0.2', port: portOf(forward.places[0]) };
      t.equal(await say(place, 'x'), 'far: x', way.join(' '));
    }
  },
);

onBothTransports(
  '-L: either side may end its half first, and what the other half carries arrives',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const sshd = stack.use(await startSshd());
    let heard = '';
    const talker = await serve(stack, { host: '127.0.0.1', port: 0 }, (socket) => {
      socket.end('that is all');
      socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
      socket.once('end', () => (heard += '<end>'));
    });
    const to = (talker.address() as AddressInfo).port;
    const forward = stack.use(await startForward(sshd, transport, ['-L', `0:127.0.0.1:${to}`]));
    const client = connect({ host: '127.0.0.1', port: portOf(forward.places[0]), allowHalfOpen: true });
    const said = overhear(client);
    await once(client, 'end');
    t.equal(said.text(), 'that is all');
    t.ok(client.writable, 'our half is open still');
    client.write('but I ');
    const closed = once(client, 'close');
    client.end('go on');
    await waitUntil('the rest to arrive', () => heard === 'but I go on<end>');
    await closed;
  },
);

onBothTransports(
  '-L: a destination that refuses ends that client alone, and the forward goes on',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const sshd = stack.use(await startSshd());
    const echo = await serve(stack, { host: '127.0.0.1', port: 0 }, answering('far'));
    const to = (echo.address() as AddressInfo).port;
    const args = ['-L', '0:127.0.0.1:1', '-L', `0:127.0.0.1:${to}`];
    const forward = stack.use(await startForward(sshd, transport, args, { count: 2 }));
    const [bad, good] = forward.places;
    for (let round = 0; round < 3; round += 1) {
      const said = await say(bad ?? { path: '' }, 'anybody?').catch((error: NodeJS.ErrnoException) => error.code);
      t.match(String(said), /^(ECONNRESET|EPIPE|)$/, 'it hears nothing');
      t.equal(await say(good ?? { path: '' }, 'x'), 'far: x');
    }
    await waitUntil('the reason to be said', () => forward.stderr().includes('CHANNEL_REFUSED'));
    t.match(forward.stderr(), /127\.0\.0\.1:1\b|127\.0\.0\.1 port 1\b/);
    t.match(forward.stderr(), /; the server itself could not reach it/);
  },
);

onBothTransports(
  '-L: 16 MiB each way at the same time come byte for byte, beside a client that reads nothing',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const sshd = stack.use(await startSshd({ mode: 'listen' }));
    const data = randomBytes(16 * 1024 * 1024);
    const far = createFarStream(data);
    const server = await serve(stack, { host: '127.0.0.1', port: 0 }, far.onSocket);
    const to = (server.address() as AddressInfo).port;
    const forward = stack.use(await startForward(sshd, transport, ['-L', `0:127.0.0.1:${to}`]));
    const port = portOf(forward.places[0]);
    const stalled = connect(port, '127.0.0.1').on('error', () => undefined);
    stack.defer(() => void stalled.destroy());
    stalled.write('x');
    await waitUntil('the stalled one to be served', () => far.sockets.size > 0);
    const client = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    const chunks: Buffer[] = [];
    client.on('data', (chunk: Buffer) => chunks.push(chunk)).end(data);
    await once(client, 'close');
    t.equal(digest(Buffer.concat(chunks)), digest(data), 'down');
    await waitUntil('all to be there', () => far.received.length > 0);
    t.strictSame(far.received.map(digest), [digest(data)], 'up');
  },
);

onBothTransports('-L: all that was asked for stands, or nothing', async (t, transport) => {
  await using stack = new AsyncDisposableStack();
  const sshd = stack.use(await startSshd());
  const taken = await serve(stack, { host: '127.0.0.1', port: 0 }, answering('somebody else'));
  const { port } = taken.address() as AddressInfo;
  const path = join(sshd.folder, 'first.sock');
  const args = ['-L', `${path}:127.0.0.1:1`, '-L', `${port}:127.0.0.1:1`];
  const outcome = await viassh(['forward', ...at(sshd, transport), ...args]);
  assertFailure(t, outcome, { error: 'LISTEN_FAILED', says: new RegExp(`${port}`), hint: /./ });
  t.notOk(existsSync(path));
});

onTransport('ssh2', '-L: a socket of a forward that was killed is in nobody’s way', async (t, transport) => {
  await using stack = new AsyncDisposableStack();
  const sshd = stack.use(await startSshd());
  const echo = await serve(stack, { host: '127.0.0.1', port: 0 }, answering('far'));
  const folder = join(sshd.folder, 'sockets');
  await mkdir(folder, { mode: 0o700 });
  const path = join(folder, 'near.sock');
  const args = ['-L', `${path}:127.0.0.1:${(echo.address() as AddressInfo).port}`];
  const killed = stack.use(await startForward(sshd, transport, args));
  killed.kill('SIGKILL');
  await killed.exit;
  t.ok(existsSync(path), 'it is left behind');
  stack.use(await startForward(sshd, transport, args));
  t.equal(await say({ path }, 'x'), 'far: x');
});

onBothTransports(
  '-L: a socket of a forward that runs is not taken from it: who comes second is told',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const sshd = stack.use(await startSshd());
    const echo = await serve(stack, { host: '127.0.0.1', port: 0 }, answering('far'));
    const path = join(sshd.folder, 'near.sock');
    const args = ['-L', `${path}:127.0.0.1:${(echo.address() as AddressInfo).port}`];
    const first = stack.use(await startForward(sshd, transport, args));
    const inode = (await stat(path)).ino;
    const second = await viassh(['forward', ...at(sshd, transport), ...args]);
    assertFailure(t, second, {
      error: 'LISTEN_FAILED',
      says: /near\.sock: another program listens there/,
      hint: /another place/,
    });
    t.equal((await stat(path)).ino, inode);
    t.equal(await say({ path }, 'still here'), 'far: still here');
    t.equal(first.stderr(), '');
  },
);

onBothTransports('-W: stdin and stdout are the connection, and its end is ours', async (t, transport) => {
  await using stack = new AsyncDisposableStack();
  const sshd = stack.use(await startSshd());
  const echo = await serve(stack, { host: '127.0.0.1', port: 0 }, answering('tcp'));
  const path = join(sshd.folder, 'far.sock');
  await serve(stack, { path }, answering('unix'));
  await chmod(path, 0o666);
  for (const [to, name] of [
    [`127.0.0.1:${(echo.address() as AddressInfo).port}`, 'tcp'],
    [path, 'unix'],
  ] as const) {
    const outcome = await viassh(['forward', ...at(sshd, transport), '-W', to], { input: 'through' });
    t.strictSame(
      { ...outcome, stdout: outcome.stdout.toString() },
      { code: 0, signal: null, stdout: `${name}: through`, stderr: '' },
    );
  }
  const refused = await viassh(['forward', ...at(sshd, transport), '-W', '127.0.0.1:1'], { input: 'x' });
  assertFailure(t, refused, { error: 'CHANNEL_REFUSED', says: /127\.0\.0\.1/, hint: /./ });
});

/** A server that gives everybody `data` once something has come, and keeps what was sent by those that ended. */
function createFarStream(data: Buffer): {
  readonly onSocket: (socket: Socket) => void;
  readonly sockets: ReadonlySet<Socket>;
  readonly received: readonly Buffer[];
} {
  const sockets = new Set<Socket>();
  const received: Buffer[] = [];
  return {
    sockets,
    received,
    onSocket(socket) {
      sockets.add(socket);
      const chunks: Buffer[] = [];
      socket.once('data', () => socket.end(data));
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      socket.once('end', () => received.push(Buffer.concat(chunks)));
    },
  };
}
