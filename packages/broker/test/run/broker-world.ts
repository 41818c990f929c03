import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import {
  type Connection,
  createLogger,
  createRegistry,
  definePlugin,
  insecureAcceptAnyHostKey,
  parseNearEnd,
  serveClients,
  silentLogger,
  ViasshError,
} from '@viassh/core';
import {
  createMemoryTransport,
  makeScratchFolder,
  type MemoryServerOptions,
  type MemoryTransport,
  memoryRoute,
  watchLeaks,
} from '@viassh/testing';
import type { Test } from 'tap';
import type { BrokerConfig, TunnelConfig } from '../../src/config/broker-config.ts';
import { type Broker, startBroker, type StartBrokerOptions } from '../../src/run/start-broker.ts';

/** Servers in memory by the name of their destination, and a runtime folder. */
export interface BrokerTestWorld {
  readonly folder: string;
  /** Made at the first look; `replace` gives the destination another server. */
  server(name: string): MemoryTransport;
  replace(name: string, options?: MemoryServerOptions): MemoryTransport;
  /** What was dialled, in order. */
  readonly dialled: readonly string[];
  readonly logged: readonly string[];
  /** What the next reload reads. */
  next: BrokerConfig | ViasshError;
  start(tunnels: Readonly<Record<string, Partial<TunnelConfig>>>, more?: Partial<StartBrokerOptions>): Promise<Broker>;
}

/** A tunnel: a raw endpoint of `cat` through `gate`, unless it is said otherwise. */
export function tunnelConfig(tunnel: Partial<TunnelConfig>): TunnelConfig {
  return {
    via: 'gate',
    ssh: [],
    plugin: 'pipe',
    options: {},
    words: ['cat'],
    lazy: true,
    manual: false,
    wait: 5,
    line: 1,
    ...tunnel,
  };
}

export function brokerConfig(
  tunnels: Readonly<Record<string, Partial<TunnelConfig>>>,
  more: Partial<BrokerConfig> = {},
): BrokerConfig {
  const all = Object.entries(tunnels).map(([name, tunnel]) => [name, tunnelConfig(tunnel)] as const);
  return { share: 'yes', idle: 600, tunnels: new Map(all), ...more };
}

export async function brokerWorld(t: Test): Promise<BrokerTestWorld> {
  await watchLeaks(t);
  const scratch = await makeScratchFolder();
  t.teardown(() => scratch[Symbol.asyncDispose]());
  const folder = join(scratch.path, 'run');
  await mkdir(folder, { mode: 0o700 });
  const servers = new Map<string, MemoryTransport>();
  const dialled: string[] = [];
  const logged: string[] = [];
  const world: BrokerTestWorld = {
    folder,
    dialled,
    logged,
    next: brokerConfig({}),
    server: (name) => servers.get(name) ?? world.replace(name),
    replace(name, options) {
      const transport = createMemoryTransport(options);
      servers.set(name, transport);
      return transport;
    },
    async start(tunnels, more = {}) {
      const broker = await startBroker({
        config: brokerConfig(tunnels),
        configFile: 'config.yaml',
        runtimeFolder: folder,
        plugins,
        programs: noPrograms,
        log: createLogger('info', (level, message) => logged.push(`${level} ${message}`)),
        pid: process.pid,
        version: '0',
        connect: async ({ destination }, { signal, log }): Promise<Connection> => {
          dialled.push(destination);
          if (destination === 'nowhere') throw new ViasshError('CONNECTION_REFUSED', 'nothing listens there');
          return await world
            .server(destination)
            .connect(memoryRoute(), { signal, verifyHostKey: insecureAcceptAnyHostKey(silentLogger), log });
        },
        keyOf: async ({ destination, ssh, transport }) => [destination, ...ssh, transport].join(' '),
        reload: async () => {
          if (world.next instanceof Error) throw world.next;
          return world.next;
        },
        ...more,
      });
      t.teardown(() => broker.close());
      await broker.ready;
      return broker;
    },
  };
  return world;
}

const noPrograms = { start: nothing, run: nothing };

async function nothing(): Promise<never> {
  throw new ViasshError('PROGRAM_NOT_FOUND', 'no programs here');
}

/** Serves `cat` on a place; `fail` throws at once. */
const plugins = createRegistry([
  {
    name: 'cats',
    summary: 'for tests',
    load: async () =>
      definePlugin({
        apiVersion: 1,
        name: 'cats',
        summary: 'for tests',
        options: {
          listen: { type: 'string', valueName: 'NEAR', summary: 'where' },
          fail: { type: 'boolean', summary: 'throws at once' },
          brief: { type: 'boolean', summary: 'ends at once' },
        },
        needs: ['exec'],
        lifetime: ({ listen, fail }) => (listen === undefined && !fail ? 'one-shot' : 'resident'),
        run: async ({ connection, stdio, signal, log, ready }, { listen, fail, brief }) => {
          if (brief) return { kind: 'status', code: 0 };
          if (fail) throw new TypeError('a mistake in a plugin');
          return await serveClients(
            connection,
            parseNearEnd(listen ?? ''),
            (gone) => connection.openSession({ kind: 'exec', command: 'cat', signal: gone }),
            {
              signal,
              log,
              onListening: () => {
                stdio.output.write(`listening on ${listen}\n`);
                ready();
              },
            },
          );
        },
      }),
  },
]);

/** A client of a Unix socket. */
export async function clientOf(path: string): Promise<Socket> {
  const socket = connect({ path, allowHalfOpen: true }).on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Says it, and what comes back until the end. */
export async function exchange(path: string, text: string): Promise<string> {
  const socket = await clientOf(path);
  socket.end(text);
  let back = '';
  for await (const chunk of socket.setEncoding('utf8')) back += String(chunk);
  return back;
}
