import { chmod, chown, copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { insecureAcceptAnyHostKey, silentLogger } from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { findProgram, freePort, type Sshd, startSshd, waitUntil } from '@viassh/testing';
import t, { type Test } from 'tap';
import { answering, connectBy, output, routeBy } from './connect-to.ts';

const dropbear = await findProgram('dropbear', ['/usr/sbin', '/usr/local/sbin']);
const isRoot = process.getuid?.() === 0;
const skip = dropbear === undefined ? 'no dropbear (Debian: dropbear-bin)' : !isRoot && 'dropbear needs root here';
const verifyHostKey = insecureAcceptAnyHostKey(silentLogger);

t.test('dropbear, another server than OpenSSH', { skip }, async (t) => {
  await using sshd = await startSshd({ password: 'barley' });
  const port = await startDropbear(t, sshd);
  const { hops } = await routeBy({ configFile: sshd.configFile, options: ['ProxyCommand=none', `Port=${port}`] });
  const [hop] = hops;

  await t.test('takes a key that is signed with at once, of each type', async (t) => {
    for (const type of ['ed25519', 'rsa', 'ecdsa'] as const) {
      const key = await sshd.generateKey({ type });
      await sshd.authorize(key.publicKey);
      await copyKeys(sshd);
      await using connection = await connectBy({ hops: [{ ...hop, identityFiles: [key.file] }] }, { verifyHostKey });
      t.match(connection.info, { authenticatedBy: 'publickey', serverVersion: /dropbear/ });
      t.equal(await output(connection, 'echo here'), 'here\n');
    }
  });
  await t.test('goes on with a password when it does not know the key', async (t) => {
    const stranger = await sshd.generateKey();
    await using connection = await connectBy(
      { hops: [{ ...hop, identityFiles: [stranger.file] }] },
      { verifyHostKey, authenticate: answering('barley') },
    );
    t.equal(connection.info.authenticatedBy, 'password');
  });
  await t.test('exchanges keys anew, with compression, and loses no byte', async (t) => {
    const busy = { ...hop, compression: true, rekeyLimit: { bytes: 2 ** 20, seconds: 0 } };
    await using connection = await connectBy({ hops: [busy] }, { verifyHostKey });
    t.equal(connection.info.compression, 'zlib@openssh.com');
    t.equal((await output(connection, 'head -c 8388608 /dev/urandom | base64 -w0')).length, 11_184_812);
  });
});

/** A dropbear that knows the fixture's user and ends with the test; gives its port. */
async function startDropbear(t: Test, sshd: Sshd): Promise<number> {
  const programs = createProgramRunner();
  const hostKey = join(sshd.folder, 'dropbear_key');
  const { exit, stderr } = await programs.run({ file: 'dropbearkey', args: ['-t', 'ed25519', '-f', hostKey] });
  if (exit.kind !== 'status' || exit.code !== 0) throw new Error(`dropbearkey failed: ${stderr}`);
  await copyKeys(sshd);
  const port = await freePort();
  const args = ['-F', '-E', '-r', hostKey, '-p', `127.0.0.1:${port}`, '-P', join(sshd.folder, 'dropbear.pid')];
  const program = await programs.start({ file: dropbear ?? '', args, stdio: ['ignore', 'ignore', 'pipe'] });
  t.teardown(async () => {
    program.kill('SIGTERM');
    await program.exit;
  });
  let said = '';
  program.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text));
  await waitUntil('dropbear to listen', () => said.includes('Not backgrounding'));
  return port;
}

async function copyKeys({ home, folder, uid, gid }: Sshd): Promise<void> {
  const file = join(home, '.ssh', 'authorized_keys');
  await mkdir(join(home, '.ssh'), { recursive: true, mode: 0o700 });
  await copyFile(join(folder, 'authorized_keys'), file);
  await chmod(file, 0o600);
  for (const path of [join(home, '.ssh'), file]) await chown(path, uid, gid);
}
