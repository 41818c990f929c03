import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createOpensshConfigSource } from '@viassh/config-openssh';
import { parseDestination, resolveRoute, silentLogger, verifyByKnownHosts } from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { missingForSshd, startSshd } from '@viassh/testing';
import { createOpensshTransport } from '@viassh/transport-openssh';
import t from 'tap';

const ROUNDS = 15;
/** Far beyond what an end takes, and short of ssh's own timers, which a lost SIGTERM would wait for (15 s). */
const STALL_MS = 8000;

t.test(
  'ssh ends at the first close, however close and exit of the channel fall together',
  { skip: (await missingForSshd()) ?? false },
  async (t) => {
    await using sshd = await startSshd();
    const runtimeFolder = await mkdtemp(join(tmpdir(), 'viassh-r-'));
    t.teardown(() => rm(runtimeFolder, { recursive: true, force: true }));
    const programs = createProgramRunner();
    const { homedir: home, username: user } = userInfo();
    const source = createOpensshConfigSource({ programs, environment: { home, user, variables: {} } });
    const route = await resolveRoute(source, parseDestination('t'), { configFile: sshd.configFile });
    const transport = createOpensshTransport({ programs, runtimeFolder });
    let stalled = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const connection = await transport.connect(route, { verifyHostKey: verifyByKnownHosts, log: silentLogger });
      const { exit } = await connection.pipe('true');
      await exit;
      const timer = setTimeout(() => (stalled += 1), STALL_MS);
      await connection.close();
      clearTimeout(timer);
    }
    t.equal(stalled, 0);
    t.strictSame(await readdir(runtimeFolder), [], 'no private folder stays');
  },
);

t.test('an ssh that cannot be started is a program that is not found, and nothing stays', async (t) => {
  const runtimeFolder = await mkdtemp(join(tmpdir(), 'viassh-r-'));
  t.teardown(() => rm(runtimeFolder, { recursive: true, force: true }));
  const notExecutable = join(runtimeFolder, 'ssh');
  await writeFile(notExecutable, '');
  const programs = createProgramRunner();
  const { homedir: home, username: user } = userInfo();
  const source = createOpensshConfigSource({ programs, environment: { home, user, variables: {} } });
  const route = await resolveRoute(source, parseDestination('localhost'), { configFile: '/dev/null' });
  for (const sshFile of ['/nonexistent/ssh', notExecutable]) {
    const transport = createOpensshTransport({ programs, runtimeFolder, sshFile });
    const connecting = transport.connect(route, { verifyHostKey: verifyByKnownHosts, log: silentLogger });
    await t.rejects(connecting, { code: 'PROGRAM_NOT_FOUND', message: sshFile, hint: /--transport ssh2/ });
  }
  t.strictSame(await readdir(runtimeFolder), ['ssh']);
});
