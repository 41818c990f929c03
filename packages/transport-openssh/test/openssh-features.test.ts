import { existsSync } from 'node:fs';
import { appendFile, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { type Connection, nobodyToAsk, silentLogger, type TypedOptions, verifyByKnownHosts } from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { type KeyPair, missingForSshd, type Sshd, startSshd } from '@viassh/testing';
import { createOpensshTransport } from '@viassh/transport-openssh';
import t from 'tap';
import { failureOf, outputOf, routeOf } from './master/chain.ts';
import { startAgent } from './start-agent.ts';

const programs = createProgramRunner();
const runtimeFolder = await mkdtemp(join(tmpdir(), 'viassh-x-'));
t.teardown(() => rm(runtimeFolder, { recursive: true, force: true }));
const transport = createOpensshTransport({ programs, runtimeFolder });
const skip = (await missingForSshd()) ?? false;

async function connect(sshd: Sshd, options: readonly string[] = [], typed: TypedOptions = {}): Promise<Connection> {
  const route = await routeOf(sshd.configFile, { options, ...typed });
  return await transport.connect(route, { verifyHostKey: verifyByKnownHosts, log: silentLogger });
}

/** A certificate for a key, beside it, as ssh-keygen names it; gives its path. */
async function certify(authority: KeyPair, keyFile: string, principal: string, ...kind: string[]): Promise<string> {
  const args = ['-q', '-s', authority.file, '-I', 'viassh', '-n', principal, ...kind, `${keyFile}.pub`];
  const { exit, stderr } = await programs.run({ file: 'ssh-keygen', args });
  if (exit.kind !== 'status' || exit.code !== 0) throw new Error(`ssh-keygen failed: ${stderr}`);
  return `${keyFile}-cert.pub`;
}

const addToServer = (sshd: Sshd, line: string): Promise<void> =>
  appendFile(join(sshd.folder, 'sshd_config'), `${line}\n`); // read anew for each connection

t.test('a user certificate', { skip }, async (t) => {
  await using sshd = await startSshd({ authorize: false });
  const authority = await sshd.generateKey();
  await addToServer(sshd, `TrustedUserCAKeys ${authority.file}.pub`);
  t.equal((await failureOf(connect(sshd))).code, 'AUTH_FAILED', 'without it');
  const beside = await certify(authority, sshd.identityFile, sshd.user);

  await t.test('beside the key', async (t) => {
    await using connection = await connect(sshd);
    t.equal(await outputOf(connection, 'id -un'), `${sshd.user}\n`);
    t.match(await sshd.log(), /Accepted publickey for \S+ from .* ED25519-CERT SHA256:\S+ ID viassh/);
  });
  await t.test('by CertificateFile', async (t) => {
    const elsewhere = join(sshd.folder, 'elsewhere.pub');
    await rename(beside, elsewhere);
    t.equal((await failureOf(connect(sshd))).code, 'AUTH_FAILED', 'beside the key it is not any more');
    await using connection = await connect(sshd, [`CertificateFile=${elsewhere}`]);
    t.equal(await outputOf(connection, 'id -un'), `${sshd.user}\n`);
  });
  await t.test('for somebody else is refused', async (t) => {
    const other = await sshd.generateKey();
    await certify(authority, other.file, 'somebody-else');
    t.equal((await failureOf(connect(sshd, [`IdentityFile=${other.file}`]))).code, 'AUTH_FAILED');
  });
});

function authorityLine(name: string, { publicKey }: KeyPair): string {
  return `@cert-authority ${name} ${publicKey}\n`;
}

t.test('a host certificate', { skip }, async (t) => {
  await using sshd = await startSshd({ knownHosts: 'empty' });
  const [hostKey = ''] = sshd.hostKeyFiles;
  const authority = await sshd.generateKey();
  await addToServer(sshd, `HostCertificate ${await certify(authority, hostKey, 'viassh-test-server', '-h')}`);

  await t.test('of an authority that known_hosts has for this name', async (t) => {
    await writeFile(sshd.knownHostsFile, authorityLine('viassh-test-server', authority));
    await using connection = await connect(sshd);
    t.equal(await outputOf(connection, 'id -un'), `${sshd.user}\n`);
    t.equal(connection.info.hostKey, `ssh-ed25519-cert-v01@openssh.com ${sshd.hostKeyFingerprint}`);
  });
  await t.test('of another authority, or for another name: HOST_KEY_UNKNOWN', async (t) => {
    await writeFile(sshd.knownHostsFile, authorityLine('viassh-test-server', await sshd.generateKey()));
    t.equal((await failureOf(connect(sshd))).code, 'HOST_KEY_UNKNOWN');
    await writeFile(sshd.knownHostsFile, authorityLine('another-server', authority));
    t.equal((await failureOf(connect(sshd))).code, 'HOST_KEY_UNKNOWN');
  });
});

t.test('Include, and Match exec inside it', { skip }, async (t) => {
  await using sshd = await startSshd();
  const mark = join(sshd.folder, 'mark');
  const included = join(sshd.folder, 'included');
  await writeFile(included, `Match host 127.0.0.1 exec "test -e ${mark}"\n  Compression yes\n  Ciphers aes256-ctr\n`);
  const configFile = join(sshd.folder, 'outer');
  await writeFile(configFile, `Host *\n  Include ${sshd.configFile} ${included}\n`);
  const negotiated = async (): Promise<(string | undefined)[]> => {
    await using connection = await connect(sshd, [], { configFile });
    return [connection.info.cipher, connection.info.compression];
  };
  t.not((await negotiated())[0], 'aes256-ctr');
  await writeFile(mark, '');
  t.strictSame(await negotiated(), ['aes256-ctr', 'zlib@openssh.com']);
});

t.test('IdentityAgent: a key that is in an agent alone', { skip }, async (t) => {
  await using sshd = await startSshd();
  const held = join(sshd.folder, 'held');
  await rename(sshd.identityFile, held);
  await using agent = await startAgent(join(sshd.folder, 'agent'), held);
  t.equal((await failureOf(connect(sshd))).code, 'AUTH_FAILED', 'without it');
  await using connection = await connect(sshd, [`IdentityAgent=${agent.socketPath}`]);
  t.equal(await outputOf(connection, 'id -un'), `${sshd.user}\n`);
});

t.test('KnownHostsCommand', { skip }, async (t) => {
  await using sshd = await startSshd({ knownHosts: 'empty' });
  const line = `viassh-test-server ${(await readFile(`${sshd.hostKeyFiles[0]}.pub`, 'utf8')).trim()}\n`;
  const file = join(sshd.folder, 'told');
  await writeFile(file, line);
  t.equal((await failureOf(connect(sshd))).code, 'HOST_KEY_UNKNOWN', 'without it');
  await using connection = await connect(sshd, [`KnownHostsCommand=/bin/cat ${file}`]);
  t.equal(connection.info.hostKey, `ssh-ed25519 ${sshd.hostKeyFingerprint}`);
});

t.test('an ssh before 8.4 cannot ask a program, but it can ask nobody', { skip }, async (t) => {
  await using sshd = await startSshd();
  const old = join(sshd.folder, 'ssh-8.0');
  const askpass = join(sshd.folder, 'askpass');
  const mark = join(sshd.folder, 'asked');
  await writeFile(old, '#!/bin/sh\n[ "$1" = -V ] && { echo OpenSSH_8.0p1 >&2; exit; }\nexec ssh "$@"\n', {
    mode: 0o755,
  });
  await writeFile(askpass, `#!/bin/sh\n: >'${mark}'\necho 'open sesame'\n`, { mode: 0o755 });
  const before = { SSH_ASKPASS: '', SSH_ASKPASS_REQUIRE: '', ...process.env };
  Object.assign(process.env, { SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force' });
  t.teardown(() => Object.assign(process.env, before));
  const { connect: dial } = createOpensshTransport({ programs, runtimeFolder, sshFile: old });
  const ways = { verifyHostKey: verifyByKnownHosts, log: silentLogger };
  const asking = dial(await routeOf(sshd.configFile), { ...ways, authenticate: { ask: async () => 'open sesame' } });
  t.match(await failureOf(asking), { code: 'SETTING_UNSUPPORTED', message: /8\.0.*8\.4/ });
  await using connection = await dial(await routeOf(sshd.configFile), { ...ways, authenticate: nobodyToAsk });
  t.equal(connection.info.state, 'up', 'a key without a passphrase');
  await using strict = await startSshd({ authorize: false });
  const key = await strict.generateKey({ passphrase: 'open sesame' });
  await strict.authorize(key.publicKey);
  const encrypted = await routeOf(strict.configFile, { identityFiles: [key.file] });
  const failure = await failureOf(dial(encrypted, { ...ways, authenticate: nobodyToAsk }));
  t.equal(failure.code, 'AUTH_FAILED', failure.message);
  t.notOk(existsSync(mark), 'nothing was asked');
});
