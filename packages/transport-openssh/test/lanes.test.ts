import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Channel, destinationOf, silentLogger, verifyByKnownHosts } from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { missingForSshd, type Sshd, startSshd, waitUntil, watchLeaks } from '@viassh/testing';
import t from 'tap';
import { startRouteMasters } from '../src/master/route-masters.ts';
import { openMuxProxy } from '../src/mux/open-mux-proxy.ts';
import { OpensshConnection } from '../src/openssh-connection.ts';
import { outputOf, routeOf } from './master/chain.ts';

const skip = (await missingForSshd()) ?? false;
const programs = createProgramRunner();
const runtimeFolder = await mkdtemp(join(tmpdir(), 'viassh-l-'));
t.teardown(() => rm(runtimeFolder, { recursive: true, force: true }));

/** On the way to the control socket: every lane is a pair of sockets here. */
interface Watched extends AsyncDisposable {
  readonly connection: OpensshConnection;
  readonly lanes: Socket[];
}

async function connectWatched(sshd: Sshd): Promise<Watched> {
  const route = await routeOf(sshd.configFile);
  const common = { verifyHostKey: verifyByKnownHosts, log: silentLogger, signal: undefined };
  const master = await startRouteMasters(route, { ...common, programs, runtimeFolder, sshFile: 'ssh' });
  const lanes: Socket[] = [];
  const watcher = createServer({ allowHalfOpen: true }, (lane) => {
    const behind = connect({ path: master.socketPath, allowHalfOpen: true });
    for (const [from, to] of [[lane, behind] as const, [behind, lane] as const]) {
      from.pipe(to);
      from.on('error', () => undefined).once('close', () => to.destroy());
    }
    lanes.push(lane);
  });
  const socketPath = join(sshd.folder, 'watched');
  await once(watcher.listen(socketPath), 'listening');
  const proxy = await openMuxProxy(socketPath);
  const connection = new OpensshConnection({ ...master, socketPath }, proxy, destinationOf(route), new Set());
  const dispose = async (): Promise<void> => {
    await connection.close();
    await closed(watcher);
  };
  return { connection, lanes, [Symbol.asyncDispose]: dispose };
}

async function closed(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

/** Sends back what comes. */
async function startEcho(): Promise<{ readonly port: number } & AsyncDisposable> {
  const server = createServer(
    { allowHalfOpen: true },
    (socket) => void socket.on('error', () => undefined).pipe(socket),
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, [Symbol.asyncDispose]: () => closed(server) };
}

async function openMany({ connection }: Watched, port: number, count: number): Promise<Channel[]> {
  const open = (): Promise<Channel> => connection.openDirectTcpip({ host: '127.0.0.1', port });
  return await Promise.all(Array.from({ length: count }, open));
}

async function echoed(channel: Channel, text: string): Promise<string> {
  channel.end(text);
  return Buffer.concat((await channel.toArray()) as Buffer[]).toString();
}

t.test('few channels share a lane, many are spread; what comes back is right on each', { skip }, async (t) => {
  await watchLeaks(t, { folders: [runtimeFolder] });
  await using sshd = await startSshd();
  await using echo = await startEcho();
  await using watched = await connectWatched(sshd);
  const { connection, lanes } = watched;
  const few = await openMany(watched, echo.port, 2);
  t.equal(lanes.length, 1);
  const many = await openMany(watched, echo.port, 62);
  t.equal(lanes.length, 8);
  const before = lanes.map(({ bytesRead }) => bytesRead);
  const block = 'x'.repeat(100_000);
  const answers = await Promise.all([...few, ...many].map((channel, index) => echoed(channel, `${index}:${block}`)));
  for (const [index, answer] of answers.entries()) t.ok(answer === `${index}:${block}`, `channel ${index}`);
  for (const [index, lane] of lanes.entries()) {
    const share = (lane.bytesRead - (before[index] ?? 0)) / block.length;
    t.ok(share > 7 && share < 9, `lane ${index} carried ${share} of 64`);
  }
  t.equal(await outputOf(connection, 'echo still'), 'still\n');
});

t.test('one lane that is cut takes the connection along: every channel hears of it', { skip }, async (t) => {
  await watchLeaks(t, { folders: [runtimeFolder] });
  await using sshd = await startSshd();
  await using echo = await startEcho();
  await using watched = await connectWatched(sshd);
  const channels = await openMany(watched, echo.port, 20);
  const failed = Promise.all(
    channels.map(async (channel) => {
      await new Promise((resolve) => channel.resume().once('close', resolve));
      return channel.errored;
    }),
  );
  watched.lanes[5]?.destroy();
  t.match(await watched.connection.closed, { kind: 'lost', error: { code: 'CONNECTION_LOST' } });
  t.match(
    await failed,
    Array.from({ length: 20 }, () => ({ code: 'CONNECTION_LOST' })),
  );
  await t.rejects(openMany(watched, echo.port, 1), { code: 'CONNECTION_LOST' });
  await waitUntil('the master to be gone', async () => (await readdir(runtimeFolder)).length === 0);
});
