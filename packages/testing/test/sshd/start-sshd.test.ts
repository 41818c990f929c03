import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { ProgramOutput } from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { listProcesses, missingForSshd, type Sshd, startSshd, waitUntil } from '@viassh/testing';

const skip = (await missingForSshd()) ?? false;
const isRoot = process.getuid?.() === 0;
const programs = createProgramRunner();

function ssh(sshd: Sshd, command: string, ...options: string[]): Promise<ProgramOutput> {
  return programs.run({
    file: 'ssh',
    args: ['-F', sshd.configFile, ...options, 't', command],
    env: { SSH_ASKPASS: undefined },
  });
}

for (const mode of ['inetd', 'listen'] as const) {
  t.test(`${mode}: ssh logs in and gets exit status and output`, { skip }, async (t) => {
    await using sshd = await startSshd({ mode });
    const output = await ssh(sshd, 'echo hello $USER; exit 7');
    t.strictSame(output.exit, { kind: 'status', code: 7 }, output.stderr);
    t.equal(output.stdout, `hello ${sshd.user}\n`);
    t.match(await sshd.log(), /Accepted publickey/);
  });

  t.test(`${mode}: kill ends the server under a running command`, { skip }, async (t) => {
    await using sshd = await startSshd({ mode });
    const program = await programs.start({
      file: 'ssh',
      args: ['-F', sshd.configFile, 't', 'echo up; sleep 60'],
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await program.stdout?.take(1).toArray();
    await sshd.kill();
    t.strictSame(await program.exit, { kind: 'status', code: 255 });
    t.equal(sshd.pid, undefined);
    t.strictSame(await sshd.processes(), []);
  });

  t.test(`${mode}: nothing is left after dispose: user, folder, processes`, { skip }, async (t) => {
    const sshd = await startSshd({ mode });
    const program = await programs.start({
      file: 'ssh',
      args: ['-F', sshd.configFile, 't', 'echo up; sleep 61'],
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await program.stdout?.take(1).toArray();
    await sshd[Symbol.asyncDispose]();
    await program.exit;
    t.notOk(existsSync(sshd.folder));
    if (isRoot) t.notOk((await readFile('/etc/passwd', 'utf8')).includes(`${sshd.user}:`));
    const left = (await listProcesses()).filter(
      ({ command, uid }) => command.includes(sshd.folder) || (isRoot && uid === sshd.uid),
    );
    t.strictSame(left, []);
  });
}

t.test('a forced command sees the command that was asked for', { skip }, async (t) => {
  await using sshd = await startSshd({ authorizedKeysOptions: 'command="printf %s \\"$SSH_ORIGINAL_COMMAND\\""' });
  t.equal((await ssh(sshd, `echo 'a  b' "ü"`)).stdout, `echo 'a  b' "ü"`);
});

t.test('known_hosts in each state makes ssh accept or refuse', { skip }, async (t) => {
  const expected = {
    good: /^$/,
    empty: /No ED25519 host key is known/,
    changed: /IDENTIFICATION HAS CHANGED/,
    revoked: /REVOKED/,
  };
  for (const [knownHosts, message] of Object.entries(expected)) {
    await using sshd = await startSshd({ knownHosts: knownHosts as keyof typeof expected });
    const { exit, stderr } = await ssh(sshd, 'true');
    t.strictSame(exit, { kind: 'status', code: knownHosts === 'good' ? 0 : 255 }, knownHosts);
    t.match(stderr, message, knownHosts);
  }
});

t.test('a key is let in once it was authorized, and only then', { skip }, async (t) => {
  await using sshd = await startSshd({ authorize: false });
  t.strictSame((await ssh(sshd, 'true')).exit, { kind: 'status', code: 255 });
  const key = await sshd.generateKey({ type: 'rsa' });
  await sshd.authorize(key.publicKey);
  t.strictSame((await ssh(sshd, 'exit 3', '-i', key.file)).exit, { kind: 'status', code: 3 });
});

t.test('extra lines win on both sides, Match blocks come last', { skip }, async (t) => {
  await using sshd = await startSshd({
    config: ['AcceptEnv VIASSH_*', 'Match all', 'PermitTTY no'],
    clientConfig: ['SetEnv VIASSH_A=b'],
  });
  t.equal((await ssh(sshd, 'echo $VIASSH_A')).stdout, 'b\n');
});

t.test(
  'a password is set for the user: the right one lets in, another does not',
  { skip: skip || (!isRoot && 'setting a password needs root') },
  async (t) => {
    await using sshd = await startSshd({ password: 'open sesame', authorize: false });
    for (const [word, code] of [
      ['sesame', 4],
      ['barley', 255],
    ] as const) {
      const askpass = join(sshd.folder, word);
      await writeFile(askpass, `#!/bin/sh\necho open ${word}\n`, { mode: 0o755 });
      const { exit } = await programs.run({
        file: 'ssh',
        args: ['-F', sshd.configFile, 't', 'exit 4'],
        env: { SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force' },
      });
      t.strictSame(exit, { kind: 'status', code }, word);
    }
  },
);

t.test('a configuration that sshd refuses is an error that says so, and leaves nothing', { skip }, async (t) => {
  await t.rejects(startSshd({ config: ['NoSuchKeyword yes'] }), { message: /NoSuchKeyword/ });
});

t.test('several at once do not get into each other’s way', { skip }, async (t) => {
  const all = await Promise.all([startSshd(), startSshd({ mode: 'listen' }), startSshd({ mode: 'listen' })]);
  const outputs = await Promise.all(all.map((sshd) => ssh(sshd, 'id -un')));
  t.strictSame(
    outputs.map(({ stdout }) => stdout.trim()),
    all.map(({ user }) => user),
  );
  await Promise.all(all.map((sshd) => sshd[Symbol.asyncDispose]()));
  await waitUntil(
    'no sshd to be left',
    async () => (await Promise.all(all.map((sshd) => sshd.processes()))).flat().length === 0,
  );
});
