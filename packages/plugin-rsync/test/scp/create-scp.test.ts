import { execFile } from 'node:child_process';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { isViasshError } from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { missingForSshd, type Sshd, startSshd, waitUntil, watchLeaks } from '@viassh/testing';
import t, { type Test } from 'tap';
import { createScp, type RemoteFile, type Scp } from '../../src/index.ts';

const skip = (await missingForSshd()) ?? false;
const config = ['Subsystem sftp internal-sftp'];

interface Bench {
  readonly scp: Scp;
  readonly here: string;
  remote(path: string): RemoteFile;
}

/** The remote shell is a script that becomes ssh: any that takes ssh's arguments will do. */
async function makeBench(t: Test, sshd: Sshd): Promise<Bench> {
  const here = t.testdir();
  const shell = join(here, 'remote shell');
  await writeFile(shell, `#!/bin/sh\nexec ssh -F '${sshd.configFile}' "$@"\n`, { mode: 0o755 });
  const far = join(sshd.folder, 'files');
  await mkdir(far);
  await promisify(execFile)('chown', [`${sshd.uid}:${sshd.gid}`, far]);
  return {
    scp: createScp({ programs: createProgramRunner(), remoteShell: { path: shell } }),
    here,
    remote: (path) => ({ destination: sshd.destination, path: `${far}/${path}` }),
  };
}

void t.test('odd names are the files of that name, here and there', { skip }, async (t) => {
  await watchLeaks(t);
  await using sshd = await startSshd({ config });
  const { scp, here, remote } = await makeBench(t, sshd);
  const before = process.cwd();
  process.chdir(here);
  t.teardown(() => process.chdir(before));
  await writeFile('decoy', 'decoy');
  await scp('decoy', remote('xx'));
  for (const name of ['-r', 'a:b', '~', 'x*', '[x]x', 'x?', 'back\\slash', `"q" 'q' $(id)`, 'grüße', 'new\nline']) {
    await writeFile(name, name);
    await scp(name, remote(name));
    await scp(remote(name), `${name}.back`);
    t.equal(await readFile(`${name}.back`, 'utf8'), name);
  }
});

void t.test('recursive and preserve, and from one far end to another', { skip }, async (t) => {
  await using sshd = await startSshd({ config });
  const { scp, here, remote } = await makeBench(t, sshd);
  await mkdir(join(here, 'tree'));
  await writeFile(join(here, 'tree/file'), 'said', { mode: 0o640 });
  await scp(join(here, 'tree'), remote('tree'), { recursive: true, preserve: true });
  await scp(remote('tree'), remote('other'), { recursive: true, preserve: true });
  await scp(remote('other'), join(here, 'back'), { recursive: true, preserve: true });
  t.equal(await readFile(join(here, 'back/file'), 'utf8'), 'said');
  t.equal((await stat(join(here, 'back/file'))).mode & 0o777, 0o640);
  await t.rejects(scp(remote('tree'), join(here, 'not')), { code: 'PROGRAM_FAILED', hint: /recursive: true/ });
});

void t.test('what scp says is in the error, sanitised, and raw in the cause', { skip }, async (t) => {
  await using sshd = await startSshd({ config });
  const { scp, here, remote } = await makeBench(t, sshd);
  const error: unknown = await scp(remote('missing\u001b[31m'), here).catch((reason: unknown) => reason);
  if (!isViasshError(error, 'PROGRAM_FAILED')) throw error;
  t.match(error.message, /^scp ended with status 1: .*missing.*No such file/);
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  t.notMatch(error.message, /[\u0000-\u001f]/);
  t.match(error.cause, { exit: { kind: 'status', code: 1 }, stderr: /No such file/ });
});

void t.test('start-up noise has a hint of its own', { skip }, async (t) => {
  await using sshd = await startSshd({
    config,
    authorizedKeysOptions: 'command="echo welcome to this machine; exec cat"',
  });
  const { scp, here, remote } = await makeBench(t, sshd);
  await t.rejects(scp(remote('x'), here), { code: 'PROGRAM_FAILED', message: /too long/, hint: /\.bashrc/ });
});

void t.test('destinations and paths that scp would read as something else are refused', async (t) => {
  const scp = createScp({
    programs: { start: () => Promise.reject(new Error('started')), run: () => Promise.reject(new Error('ran')) },
    remoteShell: { path: 'ssh' },
  });
  for (const destination of ['-oProxyCommand=touch x', 'a;b', '', 'a\nb', '$(x)'])
    await t.rejects(scp('x', { destination, path: 'y' }), { code: 'DESTINATION_INVALID' }, destination);
  await t.rejects(scp('x', { destination: 'a:b@host', path: 'y' }), { code: 'DESTINATION_INVALID' });
  for (const path of ['', 'a\0b'])
    await t.rejects(scp(path, { destination: 'host', path: 'x' }), { code: 'OPTION_INVALID' });
  const two = [1, 2].map((port) => ({ destination: `host:${port}`, path: 'x' })) as [RemoteFile, RemoteFile];
  await t.rejects(scp(...two), { code: 'OPTION_INVALID', hint: /ssh_config/ });
});

void t.test('aborting ends scp and its remote shell, also when the server holds on', { skip }, async (t) => {
  await watchLeaks(t);
  await using sshd = await startSshd({ config, authorizedKeysOptions: 'command="exec sleep 600"' });
  const { scp, here, remote } = await makeBench(t, sshd);
  const controller = new AbortController();
  const copying = scp(remote('x'), here, { signal: controller.signal });
  await waitUntil('the far end to hold', async () => (await sshd.log()).includes('Starting session'));
  controller.abort();
  await t.rejects(copying, { code: 'ABORTED' });
  await t.rejects(scp(remote('x'), here, { signal: controller.signal }), { code: 'ABORTED' }, 'aborted before');
});
