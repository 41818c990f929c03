import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createOpensshConfigSource } from '@viassh/config-openssh';
import { createProgramRunner } from '@viassh/program';
import { sshdHarness, testTransportCompliance } from '@viassh/testing';
import { createOpensshTransport } from '@viassh/transport-openssh';
import t from 'tap';
import { lendingHarness, lentBySshd } from './lending-harness.ts';

const programs = createProgramRunner();
const { homedir: home, username: user } = userInfo();
const runtimeFolder = await mkdtemp(join(tmpdir(), 'viassh-o-'));
t.teardown(() => rm(runtimeFolder, { recursive: true, force: true }));

await testTransportCompliance(
  t,
  lendingHarness(
    sshdHarness({
      transport: createOpensshTransport({ programs, runtimeFolder }),
      configSource: createOpensshConfigSource({ programs, environment: { home, user, variables: {} } }),
      runtimeFolder,
    }),
  ),
  { areas: lentBySshd },
);
