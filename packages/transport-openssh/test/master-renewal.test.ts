import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createOpensshConfigSource } from '@viassh/config-openssh';
import {
  createLogger,
  destinationOf,
  parseDestination,
  resolveRoute,
  silentLogger,
  verifyByKnownHosts,
} from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { missingForSshd, type Sshd, startSshd, waitUntil, watchLeaks } from '@viassh/testing';
import t from 'tap';
import { type RouteMasters, startRouteMasters } from '../src/master/route-masters.ts';
import { openMuxProxy } from '../src/mux/open-mux-proxy.ts';
import { OpensshConnection, type OpensshConnectionOptions } from '../src/openssh-connection.ts';

const skip = (await missingForSshd()) ?? false;
const programs = createProgramRunner();
const runtimeFolder = await mkdtemp(join(tmpdir(), 'viassh-n-'));
t.teardown(() => rm(runtimeFolder, { recursive: true, force: true }));

async function connectTo(sshd: Sshd, options: OpensshConnectionOptions) {
  const { homedir: home, username: user } = userInfo();
  const source = createOpensshConfigSource({ programs, environment: { home, user, variables: {} } });
  const route = await resolveRoute(source, parseDestination('t'), { configFile: sshd.configFile });
  const hop = destinationOf(route);
  const masters: RouteMasters[] = [];
  const start = async (signal?: AbortSignal): Promise<RouteMasters> => {
    const common = { verifyHostKey: verifyByKnownHosts, log: silentLogger, signal };
    const master = await startRouteMasters(route, { ...common, programs, runtimeFolder, sshFile: 'ssh' });
    masters.push(master);
    return master;
  };
  const first = await start();
  const proxy = await openMuxProxy(first.socketPath);
  const connection = new OpensshConnection(first, proxy, hop, new Set(), { renew: start, ...options });
  return { connection, masters, start };
}

async function refusedOpens(connection: OpensshConnection, count: number): Promise<void> {
  for (let round = 0; round < count; round += 1)
    await t.rejects(connection.openDirectTcpip({ host: '127.0.0.1', port: 1 }), { code: 'CHANNEL_REFUSED' });
}

async function expectTrue(connection: OpensshConnection): Promise<void> {
  const { exit } = await connection.pipe('true');
  t.strictSame(await exit, { kind: 'status', code: 0 });
}

t.test('a master that refused much is changed for a new one, and nobody notices', { skip }, async (t) => {
  await watchLeaks(t, { folders: [runtimeFolder] });
  await using sshd = await startSshd();
  const { connection, masters } = await connectTo(sshd, { refusedOpens: 3 });
  let ended = false;
  void connection.closed.then(() => (ended = true));
  await refusedOpens(connection, 2);
  await expectTrue(connection);
  t.equal(masters.length, 1);
  await refusedOpens(connection, 1);
  await masters[0]?.ended; // of itself: `fatal: no remote_id`, or by us
  t.equal(masters.length, 2);
  await expectTrue(connection);
  t.equal(ended, false);
  await refusedOpens(connection, 3);
  await masters[1]?.ended;
  await expectTrue(connection);
  t.equal(masters.length, 3);
  await waitUntil('the old ones to be gone', async () => (await readdir(runtimeFolder)).length === 1);
  await connection.close();
  t.strictSame(await connection.closed, { kind: 'closed' });
});

t.test('an open channel keeps its master, and the next one comes when it has ended', { skip }, async (t) => {
  await using sshd = await startSshd();
  const { connection, masters } = await connectTo(sshd, { refusedOpens: 2 });
  const channel = await connection.openSession({ kind: 'exec', command: 'cat' });
  await refusedOpens(connection, 4);
  await expectTrue(connection);
  t.equal(masters.length, 1);
  channel.end('still here');
  const chunks: unknown[] = await channel.toArray();
  t.equal(Buffer.concat(chunks as Buffer[]).toString(), 'still here');
  await masters[0]?.ended;
  t.equal(masters.length, 2);
  await expectTrue(connection);
  await connection.close();
});

t.test('what is opened while the new one comes ends on the old one', { skip }, async (t) => {
  await using sshd = await startSshd();
  const { promise: mayGoOn, resolve: goOn } = Promise.withResolvers<void>();
  const fixture = await connectTo(sshd, {
    refusedOpens: 1,
    renew: async (signal) => {
      await mayGoOn;
      return await fixture.start(signal);
    },
  });
  const { connection, masters } = fixture;
  await refusedOpens(connection, 1);
  const channel = await connection.openSession({ kind: 'exec', command: 'cat' });
  goOn();
  await waitUntil('the new one', () => masters.length === 2);
  await expectTrue(connection);
  channel.end('through');
  const chunks: unknown[] = await channel.toArray();
  t.equal(Buffer.concat(chunks as Buffer[]).toString(), 'through');
  t.strictSame(await channel.exit, { kind: 'status', code: 0 });
  await masters[0]?.ended;
  await connection.close();
});

t.test('a renewal that fails leaves the old one in use, and is tried again later', { skip }, async (t) => {
  await using sshd = await startSshd();
  let tries = 0;
  const said: string[] = [];
  const { connection, masters } = await connectTo(sshd, {
    refusedOpens: 2,
    log: createLogger('info', (level, message) => void said.push(`${level}: ${message}`)),
    renew: async () => {
      tries += 1;
      throw new Error('no route');
    },
  });
  await refusedOpens(connection, 3);
  t.equal(tries, 1);
  t.match(said, [/^info: logging in to \S+ anew: /, /^warning: the connection to \S+ was not renewed: no route$/]);
  await expectTrue(connection);
  await refusedOpens(connection, 2);
  t.equal(tries, 2);
  t.equal(masters.length, 1);
  await connection.close();
});

t.test('a close ends a renewal that is under way', { skip }, async (t) => {
  await using sshd = await startSshd();
  let signal: AbortSignal | undefined;
  const { connection } = await connectTo(sshd, {
    refusedOpens: 1,
    renew: (given) =>
      new Promise((_, reject) => {
        signal = given;
        given.addEventListener('abort', () => reject(new Error('aborted')));
      }),
  });
  await refusedOpens(connection, 1);
  t.equal(signal?.aborted, false);
  await connection.close();
  t.equal(signal?.aborted, true);
});

t.test('near the end of the slots opens are refused by us: the master lives on', { skip }, async (t) => {
  await using sshd = await startSshd();
  const { connection } = await connectTo(sshd, { mostSlots: 4, renew: undefined });
  const channel = await connection.openSession({ kind: 'exec', command: 'cat' });
  await refusedOpens(connection, 2); // and a spare session
  await t.rejects(connection.openDirectTcpip({ host: '127.0.0.1', port: 1 }), {
    code: 'CHANNEL_REFUSED',
    message: /too many/,
  });
  channel.end();
  channel.resume();
  t.strictSame(await channel.exit, { kind: 'status', code: 0 });
  await connection.close();
});
