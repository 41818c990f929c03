import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nobodyToAsk, silentLogger, verifyByKnownHosts } from '@viassh/core';
import {
  complianceAreas,
  type ComplianceHarness,
  makeScratchFolder,
  memoryRoute,
  testTransportCompliance,
} from '@viassh/testing';
import t from 'tap';
import { ToyTransport } from './toy-transport.ts';

/** What is about a server that is dialled, verified, logged in to, and asked for agents: the toy has none. */
const notOfAShell = [
  'reaching the server',
  'proxies, rekeying, compression',
  'jump hosts',
  'host keys',
  'custom host key verifier',
  'login',
  'agent and x11',
  'connection lost with bytes unread',
];

const harness: ComplianceHarness = {
  name: 'toy',
  transport: new ToyTransport(),
  missing: async () => undefined,
  async serve({ maxSessions } = {}) {
    const transport = new ToyTransport(maxSessions);
    const route = memoryRoute();
    const scratch = await makeScratchFolder();
    const folder = join(scratch.path, 'both');
    await mkdir(folder);
    const cut = async (): Promise<void> => transport.connections.forEach((connection) => connection.lose());
    return {
      route,
      folder,
      cut,
      connect: (overrides) =>
        transport.connect(route, {
          verifyHostKey: verifyByKnownHosts,
          authenticate: nobodyToAsk,
          log: silentLogger,
          ...overrides,
        }),
      hostKeyFingerprint: 'none',
      knownHostsFile: join(scratch.path, 'known_hosts'),
      jumpHosts: [],
      dialledByProxy: [],
      sessionsOpened: async () => transport.sessionsOpened,
      contacted: Promise.resolve(),
      async [Symbol.asyncDispose]() {
        await Promise.all(transport.connections.map((connection) => connection.close()));
        await scratch[Symbol.asyncDispose]();
      },
    };
  },
};

await testTransportCompliance(t, harness, {
  areas: complianceAreas.filter(({ name }) => !notOfAShell.includes(name)),
});

t.test('the guide shows this very transport', async (t) => {
  const guide = await readFile(join(import.meta.dirname, '../../../../docs/guides/write-a-transport.md'), 'utf8');
  const toy = await readFile(join(import.meta.dirname, 'toy-transport.ts'), 'utf8');
  t.equal(/^```ts\n([^]*?)^```$/m.exec(guide)?.[1], toy);
});
