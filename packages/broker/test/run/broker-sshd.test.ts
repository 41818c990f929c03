import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createOpensshConfigSource } from '@viassh/config-openssh';
import {
  createRegistry,
  nobodyToAsk,
  parseDestination,
  resolveRoute,
  silentLogger,
  type Transport,
  verifyByKnownHosts,
} from '@viassh/core';
import { forwardPlugin } from '@viassh/plugin-forward';
import { createProgramRunner } from '@viassh/program';
import { startFaultyRelay, startSshd, waitUntil } from '@viassh/testing';
import { createOpensshTransport } from '@viassh/transport-openssh';
import { createSsh2Transport } from '@viassh/transport-ssh2';
import t from 'tap';
import { leaseFromBroker } from '../../src/control/lease-from-broker.ts';
import type { TunnelStatus } from '../../src/status/broker-status.ts';
import { brokerWorld, exchange } from './broker-world.ts';

const programs = createProgramRunner();
const { homedir: home, username: user } = userInfo();
const masters = await mkdtemp(join(tmpdir(), 'viassh-b-'));
t.teardown(() => rm(masters, { recursive: true, force: true }));
const source = createOpensshConfigSource({ programs, environment: { home, user, variables: {} } });
const transports: readonly Transport[] = [
  createOpensshTransport({ programs, runtimeFolder: masters }),
  createSsh2Transport({ programs }),
];
const plugins = createRegistry([{ name: 'forward', summary: 'forwards', load: async () => forwardPlugin }]);

async function answerAt(port: number, word: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.end(word);
  return await text(socket);
}

const portOf = (tunnel: TunnelStatus | undefined): number =>
  Number(/^tcp:[^ ]*?:(\d+)/.exec(tunnel?.listeners[0] ?? '')?.[1]);

for (const transport of transports) {
  t.test(`${transport.name}: tunnels and commands ride on one login, and are back after a reset`, async (t) => {
    await using sshd = await startSshd({ mode: 'listen' });
    await using relay = await startFaultyRelay({ to: sshd.port });
    const echo = createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => undefined).pipe(socket));
    await once(echo.listen(0, '127.0.0.1'), 'listening');
    t.teardown(() => echo.close());
    const { port } = echo.address() as AddressInfo;
    const world = await brokerWorld(t);
    const cat = join(world.folder, 'cat.sock');
    const lease = { ask: 'lease', key: 'the key', destination: sshd.destination, ssh: [], transport: 'auto' } as const;
    const via = sshd.destination;
    const broker = await world.start(
      {
        cat: { via, listen: `unix:${cat}` },
        here: { via, plugin: 'forward', options: { local: [`127.0.0.1:0:127.0.0.1:${port}`] }, words: [] },
        there: { via, plugin: 'forward', options: { remote: [`0:127.0.0.1:${port}`] }, words: [], lazy: false },
      },
      {
        plugins,
        programs,
        keyOf: async () => lease.key,
        connect: async ({ destination }, { signal, log }) => {
          const typed = { configFile: sshd.configFile, options: [`Port=${relay.port}`] };
          const route = await resolveRoute(source, parseDestination(destination), typed, signal);
          const way = { signal, log, verifyHostKey: verifyByKnownHosts, authenticate: nobodyToAsk };
          return await transport.connect(route, way);
        },
      },
    );
    const tunnel = (name: string): TunnelStatus | undefined =>
      broker.status().tunnels.find((each) => each.name === name);
    const remotePort = portOf(tunnel('there'));
    const work = async (word: string): Promise<readonly string[]> =>
      await Promise.all([exchange(cat, word), answerAt(portOf(tunnel('here')), word), answerAt(remotePort, word)]);
    t.same(await work('one'), ['one', 'one', 'one']);
    for (const word of ['first', 'second']) {
      const lent = await leaseFromBroker(broker.socketPath, lease, { log: silentLogger });
      const channel = await lent?.openSession({ kind: 'exec', command: `echo ${word}` });
      channel?.stderr.resume();
      t.equal(channel && (await text(channel)), `${word}\n`);
      await lent?.close();
    }
    const logins = async (): Promise<number> => (await sshd.log()).match(/Accepted publickey/g)?.length ?? 0;
    t.equal(await logins(), 1);
    relay.cut({ how: 'rst' });
    await waitUntil('the loss to be seen', () => broker.status().connections[0]?.lastError !== undefined);
    t.equal(await exchange(cat, 'two'), 'two', 'a client who comes meanwhile waits');
    const back = async (): Promise<boolean> => (await answerAt(remotePort, 'x').catch(() => '')) === 'x';
    await waitUntil('the remote forward to be back at its port', back);
    t.same(await work('three'), ['three', 'three', 'three']);
    t.match(broker.status().connections, [{ state: 'up', ups: 2, lastError: { code: 'CONNECTION_LOST' } }]);
    t.equal(await logins(), 2);
    t.same(
      broker.status().tunnels.map(({ state }) => state),
      ['up', 'up', 'up'],
    );
  });
}
