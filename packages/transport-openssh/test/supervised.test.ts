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

/** A part of what the memory transport shows as a whole: where there is more to it than the channels themselves. */
const areas = ['connection', 'remote forwards', 'connection lost', 'shutdown'];

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
