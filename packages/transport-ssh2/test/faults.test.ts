import { userInfo } from 'node:os';
import { createOpensshConfigSource } from '@viassh/config-openssh';
import { createProgramRunner } from '@viassh/program';
import { testTransportFaults } from '@viassh/testing';
import t from 'tap';
import { createSsh2Transport } from '../src/index.ts';

const programs = createProgramRunner();
const { homedir: home, username: user } = userInfo();

await testTransportFaults(t, {
  transport: createSsh2Transport({ programs }),
  configSource: createOpensshConfigSource({ programs, environment: { home, user, variables: {} } }),
});
