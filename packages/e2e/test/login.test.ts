import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { startSshd } from '@viassh/testing';
import { assertFailure } from './assert-failure.ts';
import { onBothTransports, skipWithoutSshd } from './both-transports.ts';
import { at, viassh } from './run-viassh.ts';

const needsRoot = skipWithoutSshd || (process.getuid?.() !== 0 && 'giving a user a password needs root');

onBothTransports('a key that is not authorized: which were tried, and what the server takes', async (t, transport) => {
  await using sshd = await startSshd({ authorize: false });
  const outcome = await viassh(['pipe', ...at(sshd, transport), '--', 'true']);
  assertFailure(t, outcome, {
    error: 'AUTH_FAILED',
    says: /tried:? publickey \(.*id_ed25519.*server takes:? publickey/,
    hint: /authorized_keys/,
  });
});

onBothTransports('a key file that is not there is named', async (t, transport) => {
  await using sshd = await startSshd();
  const missing = join(sshd.folder, 'no-such-key');
  const options = ['-o', 'IdentityFile=none', '-o', `IdentityFile=${missing}`];
  const outcome = await viassh([
    'pipe',
    ...options,
    ...at({ ...sshd, configFile: await withoutKeys(sshd) }, transport),
    '--',
    'true',
  ]);
  assertFailure(t, outcome, { error: 'AUTH_FAILED', says: /no key|nothing/ });
  t.ok(outcome.stderr.includes(missing), 'the file');
});

onBothTransports('no key and no agent: it says so and how to go on', async (t, transport) => {
  await using sshd = await startSshd();
  const config = await withoutKeys(sshd);
  for (const env of [{}, { SSH_AUTH_SOCK: join(sshd.folder, 'no-such-socket') }]) {
    const outcome = await viassh(['pipe', ...at({ ...sshd, configFile: config }, transport), '--', 'true'], { env });
    assertFailure(t, outcome, { error: 'AUTH_FAILED', says: /no key|nothing/, hint: /agent|-i/ });
  }
});

onBothTransports('an encrypted key with nobody to ask fails and does not hang', async (t, transport) => {
  await using sshd = await startSshd({ authorize: false });
  const key = await sshd.generateKey({ passphrase: 'open sesame' });
  await sshd.authorize(key.publicKey);
  const run = (env: Record<string, string>): ReturnType<typeof viassh> =>
    viassh(['pipe', '-i', key.file, ...at(sshd, transport), '--', 'true'], { env });
  const hint = /passphrase.*agent.*ssh-add/;
  assertFailure(t, await run({}), { error: 'AUTH_FAILED', says: /key_1/, hint });
  const wrong = { SSH_ASKPASS: await askpass(sshd.folder, 'open barley'), SSH_ASKPASS_REQUIRE: 'force' };
  assertFailure(t, await run(wrong), { error: 'AUTH_FAILED', says: /key_1/, hint });
});

onBothTransports('SSH_ASKPASS is asked for a passphrase, and what it says is never shown', async (t, transport) => {
  await using sshd = await startSshd({ authorize: false });
  const key = await sshd.generateKey({ passphrase: 'open sesame' });
  await sshd.authorize(key.publicKey);
  const env = { SSH_ASKPASS: await askpass(sshd.folder, 'open sesame'), SSH_ASKPASS_REQUIRE: 'force' };
  const outcome = await viassh(['pipe', '-vv', '-i', key.file, ...at(sshd, transport), '--', 'exit 3'], { env });
  t.equal(outcome.code, 3, outcome.stderr);
  t.notMatch(outcome.stderr, /sesame/);
});

onBothTransports(
  'a password: the right one lets in, a refused one is told, neither is shown',
  async (t, transport) => {
    await using sshd = await startSshd({ password: 'open sesame', authorize: false });
    const run = (env: Record<string, string>): ReturnType<typeof viassh> =>
      viassh(
        [
          'pipe',
          '-vv',
          '-o',
          'NumberOfPasswordPrompts=1',
          '-o',
          'PubkeyAuthentication=no',
          ...at(sshd, transport),
          '--',
          'exit 3',
        ],
        { env },
      );
    const right = await run({ SSH_ASKPASS: await askpass(sshd.folder, 'open sesame'), SSH_ASKPASS_REQUIRE: 'force' });
    t.equal(right.code, 3, right.stderr);
    t.notMatch(right.stderr, /sesame/);
    const wrong = await run({ SSH_ASKPASS: await askpass(sshd.folder, 'open barley'), SSH_ASKPASS_REQUIRE: 'force' });
    t.equal(wrong.code, 255);
    t.match(wrong.stderr, /permission denied.*password.*\(AUTH_FAILED\)/i);
    t.notMatch(wrong.stderr, /barley/);
    const nobody = await run({});
    t.equal(nobody.code, 255);
    t.match(nobody.stderr, /\(AUTH_FAILED\)/);
  },
  needsRoot,
);

/** The fixture's configuration without its key. */
async function withoutKeys({ configFile, folder }: { configFile: string; folder: string }): Promise<string> {
  const file = join(folder, 'ssh_config_without_keys');
  const text = (await readFile(configFile, 'utf8')).replace(/^ *Identity.*\n/gm, '');
  await writeFile(file, `${text}  IdentityFile none\n`);
  return file;
}

async function askpass(folder: string, answer: string): Promise<string> {
  const file = join(folder, `askpass-${answer.replaceAll(' ', '-')}`);
  await writeFile(file, `#!/bin/sh\nprintf '%s\\n' '${answer}'\n`);
  await chmod(file, 0o755);
  return file;
}
