import { userInfo } from 'node:os';
import { createOpensshConfigSource } from '@viassh/config-openssh';
import { createProgramRunner } from '@viassh/program';
import { sshdHarness, testTransportCompliance } from '@viassh/testing';
import { createSsh2Transport } from '@viassh/transport-ssh2';
import t from 'tap';
import { lendingHarness, lentAreas, lentBySshd } from './lending-harness.ts';

const programs = createProgramRunner();
const { homedir: home, username: user } = userInfo();

await testTransportCompliance(
  t,
  lendingHarness(
    sshdHarness({
      transport: createSsh2Transport({ programs }),
      configSource: createOpensshConfigSource({ programs, environment: { home, user, variables: {} } }),
    }),
  ),
  { areas: lentAreas.filter((area) => lentBySshd.includes(area) || area.name === 'agent and x11') },
);
