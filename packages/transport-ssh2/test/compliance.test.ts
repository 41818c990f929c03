import { userInfo } from 'node:os';
import { createOpensshConfigSource } from '@viassh/config-openssh';
import { createProgramRunner } from '@viassh/program';
import { sshdHarness, testTransportCompliance } from '@viassh/testing';
import t from 'tap';
import { createSsh2Transport } from '../src/index.ts';

const programs = createProgramRunner();
const { homedir: home, username: user } = userInfo();

await testTransportCompliance(
  t,
  sshdHarness({
    transport: createSsh2Transport({ programs }),
    configSource: createOpensshConfigSource({ programs, environment: { home, user, variables: {} } }),
  }),
);
