import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import process from 'node:process';
import type { Readable } from 'node:stream';
import {
  type Connection,
  type ConnectOptions,
  type SessionChannel,
  silentLogger,
  verifyByFingerprint,
  verifyByKnownHosts,
} from '@viassh/core';
import {
  freePort,
  listProcesses,
  missingForSshd,
  type Sshd,
  type SshdOptions,
  startSshd,
  waitUntil,
  watchLeaks,
} from '@viassh/testing';
import { createControlTransport } from '@viassh/transport-openssh';
import t, { type Test } from 'tap';
import { allOf, dialTo, occupiedPort, programs, routeTo, runtimeFolderFor, textOf } from '../bench.ts';
import { startUserMaster, type UserMaster } from './user-master.ts';

const skip = (await missingForSshd()) ?? false;

interface Bench {
  readonly sshd: Sshd;
  readonly master: UserMaster;
  readonly runtimeFolder: string;
  connect(options?: Partial<ConnectOptions>): Promise<Connection>;
}

function test(name: string, body: (t: Test, bench: Bench) => Promise<void>, options: SshdOptions = {}): void {
  void t.test(name, { skip }, async (t) => {
    const runtimeFolder = await runtimeFolderFor(t);
    await watchLeaks(t, { folders: [runtimeFolder] });
    await using sshd = await startSshd({ mode: 'listen', ...options });
    await using master = await startUserMaster(sshd);
    const transport = createControlTransport({ programs, controlPath: master.controlPath, runtimeFolder });
    const route = await routeTo(sshd);
    const connect: Bench['connect'] = (overrides) =>
      transport.connect(route, { verifyHostKey: verifyByKnownHosts, log: silentLogger, ...overrides });
    await body(t, { sshd, master, runtimeFolder, connect });
  });
}

async function outcome(channel: SessionChannel): Promise<{ out: string; err: string; exit: unknown }> {
  const [out, err, exit] = await Promise.all([allOf(channel), allOf(channel.stderr), channel.exit]);
  return { out: out.toString(), err: err.toString(), exit };
}

test('commands: streams, statuses, 255 of the remote command, and a signal that is missing', async (t, { connect }) => {
  await using connection = await connect();
  const channel = await connection.openSession({ kind: 'exec', command: 'cat; echo to stderr >&2; exit 7' });
  channel.end('to and fro');
  const exit = { kind: 'status', code: 7 };
  t.strictSame(await outcome(channel), { out: 'to and fro', err: 'to stderr\n', exit });
  const high = await connection.openSession({ kind: 'exec', command: 'exit 255' });
  t.strictSame((await outcome(high)).exit, { kind: 'status', code: 255 });
  const killed = await connection.openSession({ kind: 'exec', command: 'kill -9 $$' });
  t.strictSame((await outcome(killed)).exit, { kind: 'missing' });
  const shell = await connection.openSession({ kind: 'shell' });
  shell.end('echo from a shell; exit 4\n');
  t.match(await outcome(shell), { out: 'from a shell\n', exit: { kind: 'status', code: 4 } });
  await t.rejects(connection.openSession({ kind: 'exec', command: '' }), { code: 'OPTION_INVALID' });
});

test(
  'a subsystem, and one that is not there: its end is missing',
  async (t, { connect }) => {
    await using connection = await connect();
    const echo = await connection.openSession({ kind: 'subsystem', subsystem: 'echo' });
    echo.end('echoed');
    t.match(await outcome(echo), { out: 'echoed' });
    const none = await connection.openSession({ kind: 'subsystem', subsystem: 'none' });
    t.match(await outcome(none), { out: '', err: '', exit: { kind: 'missing' } });
  },
  { config: ['Subsystem echo /bin/cat'] },
);

test(
  'one session too many: CHANNEL_REFUSED, and no new login in its place',
  async (t, { connect, sshd }) => {
    await using connection = await connect();
    const held = await Promise.all([1, 2].map(() => connection.openSession({ kind: 'exec', command: 'cat' })));
    await t.rejects(connection.openSession({ kind: 'exec', command: 'true' }), {
      code: 'CHANNEL_REFUSED',
      hint: /MaxSessions/,
    });
    t.equal((await sshd.log()).match(/Accepted publickey/g)?.length, 1, 'one login, the master’s');
    for (const channel of held) channel.end();
    t.strictSame(
      await Promise.all(held.map(({ exit }) => exit)),
      held.map(() => ({ kind: 'status', code: 0 })),
    );
    for (const channel of held) channel.resume();
    t.strictSame(await (await connection.pipe('exit 5')).exit, { kind: 'status', code: 5 });
  },
  { config: ['MaxSessions 2'] },
);

test('100 refused direct-tcpip channels: each is told, and the master lives', async (t, { connect, master }) => {
  await using connection = await connect();
  const port = await freePort();
  for (let count = 0; count < 100; count += 1) {
    const channel = await connection.openDirectTcpip({ host: '127.0.0.1', port });
    const failed = once(channel, 'error');
    if (count % 2 === 0) channel.write('unheard');
    channel.resume();
    t.match((await failed)[0], { code: 'CHANNEL_REFUSED', message: new RegExp(`port ${port}`) });
  }
  t.ok(await master.answers());
  t.strictSame(await (await connection.pipe('exit 6')).exit, { kind: 'status', code: 6 });
});

test('direct channels carry 4 MiB each way; a far end that says nothing and reads on is none that refused', async (t, {
  connect,
}) => {
  await using connection = await connect();
  const bytes = Buffer.alloc(4 * 1024 * 1024, 'z');
  const { promise: heard, resolve } = Promise.withResolvers<number>();
  let turn = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    turn += 1;
    if (turn === 1) {
      socket.pipe(socket);
      return;
    }
    socket.end();
    let length = 0;
    socket.on('data', (chunk: Buffer) => (length += chunk.length)).on('end', () => resolve(length));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const echo = await connection.openDirectTcpip({ host: '127.0.0.1', port });
  echo.end(bytes);
  t.ok((await allOf(echo)).equals(bytes));
  const silent = await connection.openDirectTcpip({ host: '127.0.0.1', port });
  t.equal(await textOf(silent), '');
  silent.end('still heard');
  t.equal(await heard, 'still heard'.length);
  server.close();
});

test('the master dies: CONNECTION_LOST for all of it, nothing stays', async (t, { connect, master }) => {
  const connection = await connect();
  const running = await connection.openSession({ kind: 'exec', command: 'echo first; exec sleep 1000' });
  const lost = once(running, 'error');
  await once(running, 'readable');
  t.equal(connection.info.state, 'up');
  master.kill('SIGKILL');
  const reason = await connection.closed;
  t.match(reason, { kind: 'lost', error: { code: 'CONNECTION_LOST', message: /master has ended/ } });
  await t.rejects(running.exit, { code: 'CONNECTION_LOST' });
  t.equal(String(running.read()), 'first\n');
  t.match((await lost)[0], { code: 'CONNECTION_LOST' });
  t.equal(connection.info.state, 'ended');
  await t.rejects(connection.openSession({ kind: 'shell' }), { code: 'CONNECTION_LOST' });
  await t.rejects(connection.ping(), { code: 'CONNECTION_LOST' });
  await connection.close();
});

test('closed: passengers and forwards go, the master stays and serves the next', async (t, { connect, master }) => {
  const connection = await connect();
  const running = await connection.openSession({ kind: 'exec', command: 'exec sleep 1000' });
  const closed = once(running, 'close');
  await connection.requestForward({ kind: 'tcpip', port: 0 }, () => undefined);
  t.equal(await connection.ping(), undefined);
  await connection.close();
  await closed;
  t.strictSame(await running.exit, { kind: 'missing' });
  t.ok(await master.answers());
  await t.rejects(connection.openSession({ kind: 'shell' }), { code: 'CONNECTION_CLOSED' });
  await using next = await connect();
  t.strictSame(await (await next.pipe('exit 9')).exit, { kind: 'status', code: 9 });
});

test('two connections on one master: a place belongs to one of them', async (t, { connect }) => {
  await using one = await connect();
  await using other = await connect();
  const request = { kind: 'tcpip', port: await freePort() } as const;
  const listener = await one.requestForward(request, () => undefined);
  await t.rejects(
    other.requestForward(request, () => undefined),
    { code: 'FORWARD_REFUSED', message: /already/ },
  );
  await listener.close();
  const mine = await other.requestForward(request, () => undefined);
  await mine.close();
});

test('a place refused in one connection works in the next', async (t, { connect }) => {
  const taken = await occupiedPort();
  const request = { kind: 'tcpip', bindAddress: '127.0.0.1', port: taken.port } as const;
  {
    await using first = await connect();
    await t.rejects(
      first.requestForward(request, () => undefined),
      { code: 'FORWARD_REFUSED' },
    );
  }
  await taken[Symbol.asyncDispose]();
  await using second = await connect();
  await using _ = await second.requestForward(request, (incoming) => void incoming.accept().end('here'));
  const there = await dialTo(request.port);
  t.equal(await textOf(there), 'here');
  there.end();
});

test('what it cannot do is refused by name', async (t, { connect }) => {
  await t.rejects(connect({ verifyHostKey: verifyByFingerprint('SHA256:x') }), { code: 'CAPABILITY_MISSING' });
  await using connection = await connect();
  const pty = { term: 'vt100', columns: 80, rows: 24 };
  await t.rejects(connection.openSession({ kind: 'shell', pty }), { code: 'CAPABILITY_MISSING' });
  await t.rejects(connection.openTun({ mode: 'ethernet' }), { code: 'CAPABILITY_MISSING' });
  t.throws(() => connection.onIncomingChannel('x11', () => undefined), { code: 'CAPABILITY_MISSING' });
  const { channel, exit } = await connection.pipe('exit 0');
  t.throws(() => channel.sendSignal('TERM'), { code: 'CAPABILITY_MISSING' });
  await exit;
});

test('no master there, or none that is ours to ask: TRANSPORT_UNAVAILABLE', async (t, {
  sshd,
  runtimeFolder,
  master,
}) => {
  const route = await routeTo(sshd);
  for (const controlPath of [`${master.controlPath}.none`, sshd.configFile, sshd.folder, '/tmp/${HOME}']) {
    const transport = createControlTransport({ programs, controlPath, runtimeFolder });
    const options = { verifyHostKey: verifyByKnownHosts, log: silentLogger };
    await t.rejects(transport.connect(route, options), { code: 'TRANSPORT_UNAVAILABLE', hint: /ssh -M/ }, controlPath);
    t.match(await transport.available(), { ok: false });
  }
  const transport = createControlTransport({ programs, controlPath: master.controlPath, runtimeFolder });
  t.match(await transport.available(), { ok: true, detail: new RegExp(`process ${master.pid}`) });
});

test('SIGKILL on us: the master lives, passengers go, and the next sweeps the forwards', async (t, bench) => {
  const { sshd, master, runtimeFolder, connect } = bench;
  const port = await freePort();
  const file = new URL('killed-program.ts', import.meta.url).pathname;
  const args = ['--conditions=@viassh/source', file, sshd.configFile, master.controlPath, runtimeFolder, String(port)];
  const program = await programs.start({ file: process.execPath, args, stdio: ['ignore', 'pipe', 'inherit'] });
  await once(program.stdout as Readable, 'data'); // it downloads, and its forward stands
  const dial = async (): Promise<boolean> =>
    await occupiedPort(port).then(
      async (free) => (await free[Symbol.asyncDispose](), false),
      () => true,
    );
  t.ok(await dial(), 'the far end listens');
  program.kill('SIGKILL');
  await program.exit;
  await waitUntil('its passenger to be gone', async () => (await passengers(master)) === 0);
  t.ok(await master.answers(), 'killed in the middle of a download');
  t.ok(await dial(), 'the forward is left behind');
  const next = await connect();
  await waitUntil('the far end to listen no more', async () => !(await dial()));
  await next.close();
  t.strictSame(await readdir(runtimeFolder), []);
});

/** How many of our programs ride on this master. */
async function passengers({ controlPath }: UserMaster): Promise<number> {
  const all = await listProcesses();
  return all.filter(
    ({ command }) => command.includes('-T -e none') && command.includes(controlPath.replaceAll('%', '%%')),
  ).length;
}
