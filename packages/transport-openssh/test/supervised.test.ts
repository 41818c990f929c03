import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createOpensshConfigSource } from '@viassh/config-openssh';
import { createProgramRunner } from '@viassh/program';
import { complianceAreas, sshdHarness, supervisedHarness, testTransportCompliance } from '@viassh/testing';
import { createOpensshTransport } from '@viassh/transport-openssh';
import t from 'tap';

const programs = createProgramRunner();
const { homedir: home, username: user } = userInfo();
const runtimeFolder = await mkdtemp(join(tmpdir(), 'viassh-o-'));
t.teardown(() => rm(runtimeFolder, { recursive: true, force: true }));

/** What the layer above the transport has a part in; the rest the memory transport shows. */
const areas = [
  'connection',
  'socket channels',
  'remote forwards',
  'remote forwards: refused and ended',
  'agent and x11',
  'connection lost',
  'connection lost with bytes unread',
  'shutdown',
];

await testTransportCompliance(
  t,
  supervisedHarness(
    sshdHarness({
      transport: createOpensshTransport({ programs, runtimeFolder }),
      configSource: createOpensshConfigSource({ programs, environment: { home, user, variables: {} } }),
      runtimeFolder,
    }),
  ),
  { areas: complianceAreas.filter(({ name }) => areas.includes(name)) },
);
