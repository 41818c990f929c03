import { userInfo } from 'node:os';
import { createOpensshConfigSource } from '@viassh/config-openssh';
import { createProgramRunner } from '@viassh/program';
import { sshdHarness, testTransportCompliance } from '@viassh/testing';
import { createSsh2Transport } from '@viassh/transport-ssh2';
import t from 'tap';
import { lendingHarness, lentAreas } from './lending-harness.ts';

const programs = createProgramRunner();
const { homedir: home, username: user } = userInfo();

// Where this transport's channels are of their own kind; what a lease makes of all others, memory and openssh show.
const ofItsOwn = [
  'session exit',
  'session data',
  'connection lost',
  'connection lost with bytes unread',
  'tun',
  'agent and x11',
];

await testTransportCompliance(
  t,
  lendingHarness(
    sshdHarness({
      transport: createSsh2Transport({ programs }),
      configSource: createOpensshConfigSource({ programs, environment: { home, user, variables: {} } }),
    }),
  ),
  { areas: lentAreas.filter(({ name }) => ofItsOwn.includes(name)) },
);
