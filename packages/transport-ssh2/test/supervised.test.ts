import { userInfo } from 'node:os';
import { createOpensshConfigSource } from '@viassh/config-openssh';
import { createProgramRunner } from '@viassh/program';
import { complianceAreas, sshdHarness, supervisedHarness, testTransportCompliance } from '@viassh/testing';
import t from 'tap';
import { createSsh2Transport } from '../src/index.ts';

const programs = createProgramRunner();
const { homedir: home, username: user } = userInfo();

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
      transport: createSsh2Transport({ programs }),
      configSource: createOpensshConfigSource({ programs, environment: { home, user, variables: {} } }),
    }),
  ),
  { areas: complianceAreas.filter(({ name }) => areas.includes(name)) },
);
