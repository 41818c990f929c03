import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeScratchFolder, type Sshd, startSshd } from '@viassh/testing';
import { assertFailure } from './assert-failure.ts';
import { tidyTest } from './both-transports.ts';
import { type Outcome, viassh } from './run-viassh.ts';

/** Runs `pipe` where PATH has no ssh, nor anything else. */
async function run(...args: string[]): Promise<Outcome> {
  await using empty = await makeScratchFolder();
  return await viassh(args, { env: { PATH: empty.path } });
}

function typed(sshd: Sshd): string[] {
  const options = [
    'HostKeyAlias=viassh-test-server',
    `UserKnownHostsFile=${sshd.knownHostsFile}`,
    'IdentitiesOnly=yes',
  ];
  return [
    '-l',
    sshd.user,
    '-p',
    String(sshd.port),
    '-i',
    sshd.identityFile,
    ...options.flatMap((option) => ['-o', option]),
  ];
}

tidyTest('without an ssh binary auto takes ssh2, with -F none and typed options', async (t) => {
  await using sshd = await startSshd({ mode: 'listen' });
  const { code, stdout, stderr } = await run(
    'pipe',
    '-v',
    '-F',
    'none',
    ...typed(sshd),
    '127.0.0.1',
    '--',
    'echo in; exit 4',
  );
  t.strictSame({ code, stdout: stdout.toString() }, { code: 4, stdout: 'in\n' }, stderr);
  t.match(stderr, /transport ssh2: .*no OpenSSH client/);
});

tidyTest('without an ssh binary a configuration file that applies is an error that names the way out', async (t) => {
  await using sshd = await startSshd({ mode: 'listen' });
  const outcome = await run('pipe', '-F', sshd.configFile, 't', '--', 'true');
  assertFailure(t, outcome, { error: 'CONFIG_NEEDS_SSH', hint: /-F none/ });
  t.ok(outcome.stderr.includes(sshd.configFile), 'the file');
  const other = await run('pipe', '-F', sshd.configFile, ...typed(sshd), '127.0.0.1', '--', 'exit 5');
  t.equal(other.code, 5, 'a file without a word about the host does not matter');
});

tidyTest('without an ssh binary an option that only ssh understands is refused by name', async (t) => {
  assertFailure(t, await run('pipe', '-F', 'none', '-o', 'CanonicalizeHostname=yes', 'host', '--', 'true'), {
    error: 'CONFIG_NEEDS_SSH',
    says: /CanonicalizeHostname/,
  });
});

tidyTest('without an ssh binary --transport openssh says what is missing', async (t) => {
  assertFailure(t, await run('pipe', '-F', 'none', '--transport', 'openssh', 'host', '--', 'true'), {
    error: 'TRANSPORT_UNAVAILABLE',
    says: /ssh/,
    hint: /--transport/,
  });
});

tidyTest('without an ssh binary the host key is checked all the same', async (t) => {
  await using sshd = await startSshd({ mode: 'listen', knownHosts: 'empty' });
  const outcome = await run('pipe', '-F', 'none', ...typed(sshd), '127.0.0.1', '--', 'true');
  assertFailure(t, outcome, { error: 'HOST_KEY_UNKNOWN' });
  t.ok(outcome.stderr.includes(sshd.hostKeyFingerprint));
  const known = await run(
    'pipe',
    '-F',
    'none',
    '-o',
    'StrictHostKeyChecking=accept-new',
    ...typed(sshd),
    '127.0.0.1',
    '--',
    'exit 6',
  );
  t.equal(known.code, 6);
  t.match(await readFile(sshd.knownHostsFile, 'utf8'), /ssh-ed25519/);
});

tidyTest('an ssh that is not OpenSSH is none: auto takes ssh2, and says why', async (t) => {
  await using sshd = await startSshd({ mode: 'listen' });
  await using folder = await makeScratchFolder();
  const other = `#!/bin/sh\necho 'Dropbear v2022.83' >&2\n[ "$1" = -V ] || exit 1\n`;
  await writeFile(join(folder.path, 'ssh'), other, { mode: 0o755 });
  const run = (...args: string[]): Promise<Outcome> => viassh(args, { env: { PATH: folder.path } });
  const { code, stderr } = await run('pipe', '-v', '-F', 'none', ...typed(sshd), '127.0.0.1', '--', 'exit 4');
  t.equal(code, 4, stderr);
  t.match(stderr, /transport ssh2: .*no OpenSSH client/);
  assertFailure(t, await run('pipe', '-F', sshd.configFile, 't', '--', 'true'), {
    error: 'CONFIG_NEEDS_SSH',
    says: /no OpenSSH client is here/,
    hint: /-F none/,
  });
  assertFailure(t, await run('pipe', '-F', 'none', '--transport', 'openssh', 'host', '--', 'true'), {
    error: 'TRANSPORT_UNAVAILABLE',
    says: /no OpenSSH client/,
    hint: /--transport/,
  });
});
