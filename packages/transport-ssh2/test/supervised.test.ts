import { userInfo } from 'node:os';
import { createOpensshConfigSource } from '@viassh/config-openssh';
import { createProgramRunner } from '@viassh/program';
import { complianceAreas, sshdHarness, supervisedHarness, testTransportCompliance } from '@viassh/testing';
import t from 'tap';
import { createSsh2Transport } from '../src/index.ts';

const programs = createProgramRunner();
const { homedir: home, username: user } = userInfo();

/** A part of what the memory transport shows as a whole: where there is more to it than the channels themselves. */
const areas = [
  'connection',
  'socket channels',
  'remote forwards',
  'remote forwards: refused and ended',
  'connection lost',
];

await testTransportCompliance(
  t,
  supervisedHarness(
    sshdHarness({
      transport: createSsh2Transport({ programs }),
      configSource: createOpensshConfigSource({ programs, environment: { home, user, variables: {} } }),
    }),
  ),
  { areas: complianceAreas.filter(({ name }) => areas.includes(name)) },
);
