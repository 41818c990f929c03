import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { createOpensshConfigSource } from '@viassh/config-openssh';
import { parseDestination, resolveRoute, type SessionRequest, silentLogger } from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { missingForSshd, type Sshd, startSshd } from '@viassh/testing';
import { createOpensshTransport } from '@viassh/transport-openssh';
import t from 'tap';

const programs = createProgramRunner();
const { homedir: home, username: user } = userInfo();
const configSource = createOpensshConfigSource({ programs, environment: { home, user, variables: {} } });
const transport = createOpensshTransport({ programs });
const skip = (await missingForSshd()) ?? false;

async function handOver(
  sshd: Sshd,
  request: SessionRequest,
  input: string,
): Promise<{ exit: unknown; output: string }> {
  const files = { input: join(sshd.folder, 'in'), output: join(sshd.folder, 'out') };
  writeFileSync(files.input, input);
  const [stdin, stdout] = [openSync(files.input, 'r'), openSync(files.output, 'w')];
  const route = await resolveRoute(configSource, parseDestination('t'), { configFile: sshd.configFile });
  const exit = await transport.handOver?.(route, request, [stdin, stdout, 'ignore'], { log: silentLogger });
  for (const fd of [stdin, stdout]) closeSync(fd);
  return { exit, output: readFileSync(files.output, 'utf8') };
}

t.test('the ssh process has the descriptors of the caller, and its exit status is the result', { skip }, async (t) => {
  await using sshd = await startSshd();
  const { exit, output } = await handOver(sshd, { kind: 'exec', command: 'cat; exit 7' }, 'through files');
  t.strictSame(exit, { kind: 'status', code: 7 });
  t.equal(output, 'through files');
});

t.test('a remote signal is 255: ssh drops its name', { skip }, async (t) => {
  await using sshd = await startSshd();
  const { exit } = await handOver(sshd, { kind: 'exec', command: 'kill -TERM $$' }, '');
  t.strictSame(exit, { kind: 'status', code: 255 });
});

t.test('the command arrives unaltered, and a subsystem is one', { skip }, async (t) => {
  await using sshd = await startSshd({
    authorizedKeysOptions: `command="printf %s \\"$SSH_ORIGINAL_COMMAND\\""`,
    config: ['AcceptEnv VIASSH_*'],
  });
  const command = `a  'b' "c" $(d) \\ ;& grüße`;
  t.equal((await handOver(sshd, { kind: 'exec', command }, '')).output, command);
  await using plain = await startSshd({ config: ['Subsystem echo /bin/cat', 'AcceptEnv VIASSH_*'] });
  t.equal((await handOver(plain, { kind: 'subsystem', subsystem: 'echo' }, 'echoed')).output, 'echoed');
  const env = { VIASSH_A: 'one "two"', VIASSH_B: 'b' };
  t.equal(
    (await handOver(plain, { kind: 'exec', command: 'echo "$VIASSH_A $VIASSH_B"', env }, '')).output,
    'one "two" b\n',
  );
});
