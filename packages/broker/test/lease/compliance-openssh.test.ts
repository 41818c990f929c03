import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createOpensshConfigSource } from '@viassh/config-openssh';
import { createProgramRunner } from '@viassh/program';
import { sshdHarness, testTransportCompliance } from '@viassh/testing';
import { createOpensshTransport } from '@viassh/transport-openssh';
import t from 'tap';
import { lendingHarness, lentAreas } from './lending-harness.ts';

/** Where it matters whose channels are lent; on memory and ssh2 all areas run. */
const areas = ['connection', 'remote forwards', 'agent and x11', 'session exit', 'session data', 'session requests'];
areas.push('destroy and abort', 'connection lost', 'connection lost with bytes unread', 'shutdown');

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
  { areas: lentAreas.filter(({ name }) => areas.includes(name)) },
);
