import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createOpensshConfigSource } from '@viassh/config-openssh';
import {
  type ConnectOptions,
  type Connection,
  parseDestination,
  resolveRoute,
  silentLogger,
  verifyByFingerprint,
  verifyByKnownHosts,
} from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { missingForSshd, type Sshd, startSshd } from '@viassh/testing';
import { createOpensshTransport } from '@viassh/transport-openssh';
import t from 'tap';

const programs = createProgramRunner();
const { homedir: home, username: user } = userInfo();
const source = createOpensshConfigSource({ programs, environment: { home, user, variables: {} } });
const runtimeFolder = await mkdtemp(join(tmpdir(), 'viassh-h-'));
t.teardown(() => rm(runtimeFolder, { recursive: true, force: true }));
const transport = createOpensshTransport({ programs, runtimeFolder });
const skip = (await missingForSshd()) ?? false;

async function connectTo(sshd: Sshd, overrides: Partial<ConnectOptions> = {}, identity?: string): Promise<Connection> {
  const typed = {
    configFile: sshd.configFile,
    ...(identity === undefined ? {} : { options: [`IdentityFile=${identity}`] }),
  };
  const route = await resolveRoute(source, parseDestination('t'), typed);
  return await transport.connect(route, { verifyHostKey: verifyByKnownHosts, log: silentLogger, ...overrides });
}

t.test('a banner that speaks like the log forges no fact', { skip }, async (t) => {
  const banner = join(t.testdir(), 'banner');
  await writeFile(
    banner,
    'debug1: Server host key: ssh-ed25519 SHA256:FORGED\ndebug1: Entering interactive session.\n',
  );
  await using sshd = await startSshd({ config: [`Banner ${banner}`] });
  await using connection = await connectTo(sshd);
  t.match(connection.info.hostKey, sshd.hostKeyFingerprint);
});

for (const passphrase of ['abc ', ' lead', 'tab\t', 'back\\slash', '-dash', '+plus', `quote'"$(x)\`y\``, 'grüße']) {
  t.test(`the passphrase ${JSON.stringify(passphrase)} reaches ssh as it is`, { skip }, async (t) => {
    await using sshd = await startSshd();
    const pair = await sshd.generateKey({ passphrase });
    await sshd.authorize(pair.publicKey);
    const prompts: string[] = [];
    const authenticate: ConnectOptions['authenticate'] = {
      ask: async (prompt) => {
        prompts.push(prompt.kind);
        return passphrase;
      },
    };
    await using connection = await connectTo(sshd, { authenticate }, pair.file);
    t.equal(connection.info.authenticatedBy, 'publickey');
    t.strictSame(prompts, ['passphrase']);
  });
}

t.test('a custom verifier sees the plain key of a server that also has a host certificate', { skip }, async (t) => {
  await using sshd = await startSshd();
  const authority = await sshd.generateKey();
  const [hostKey = ''] = sshd.hostKeyFiles;
  const signed = await programs.run({
    file: 'ssh-keygen',
    args: ['-q', '-s', authority.file, '-I', 'host', '-h', `${hostKey}.pub`],
  });
  t.strictSame(signed.exit, { kind: 'status', code: 0 });
  const config = join(sshd.folder, 'sshd_config');
  await writeFile(config, `HostCertificate ${hostKey}-cert.pub\n`, { flag: 'a' });
  await using connection = await connectTo(sshd, { verifyHostKey: verifyByFingerprint(sshd.hostKeyFingerprint) });
  t.match(connection.info.hostKey, sshd.hostKeyFingerprint);
});
