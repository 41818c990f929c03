import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createOpensshConfigSource } from '@viassh/config-openssh';
import { nobodyToAsk, silentLogger, verifyByKnownHosts } from '@viassh/core';
import { complianceAreas, type ComplianceHarness, sshdHarness, testTransportCompliance } from '@viassh/testing';
import { createControlTransport } from '@viassh/transport-openssh';
import t from 'tap';
import { programs } from '../bench.ts';
import { startUserMaster } from './user-master.ts';

const { homedir: home, username: user } = userInfo();
const runtimeFolder = await mkdtemp(join(tmpdir(), 'viassh-c-'));
t.teardown(() => rm(runtimeFolder, { recursive: true, force: true }));

const transportOn = (controlPath: string) => createControlTransport({ programs, controlPath, runtimeFolder });
const plain = sshdHarness({
  name: 'control',
  transport: transportOn('/nowhere'),
  configSource: createOpensshConfigSource({ programs, environment: { home, user, variables: {} } }),
  runtimeFolder,
});
/** The fixture's servers, each with a ControlMaster to it. */
const harness: ComplianceHarness = {
  ...plain,
  serve: async (options) => {
    const server = await plain.serve(options);
    const master = await startUserMaster(server.route);
    const transport = transportOn(master.controlPath);
    return {
      ...server,
      connect: (overrides) =>
        transport.connect(server.route, {
          verifyHostKey: verifyByKnownHosts,
          authenticate: nobodyToAsk,
          log: silentLogger,
          ...overrides,
        }),
      async [Symbol.asyncDispose]() {
        await master[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  },
};

/** Reaching, host keys and logging in are the master's. */
const areas = new Set(['connection', 'socket channels', 'session exit', 'session data', 'session requests']);
for (const name of ['destroy and abort', 'connection lost', 'connection lost with bytes unread', 'shutdown'])
  areas.add(name);
/** What a passenger or a forward cannot do: said at `createControlTransport`, and shown in its own tests. */
const beyond = [
  /^info tells peer, host key and how we logged in$/,
  /nobody there: CHANNEL_REFUSED/,
  /^an empty command is the empty command$/,
  /^the far end closes its outputs first and still reads/,
  /^a subsystem that is not there: REQUEST_REFUSED/,
  /^a far end that had said EOF: bytes, end, CONNECTION_LOST$/,
];
await testTransportCompliance(t, harness, {
  areas: complianceAreas
    .filter(({ name }) => areas.has(name))
    .map(({ name, cases }) => ({ name, cases: cases.filter((one) => !beyond.some((what) => what.test(one.name))) })),
});
