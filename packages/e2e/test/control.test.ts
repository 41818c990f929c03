import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Sshd, startSshd, waitUntil } from '@viassh/testing';
import { tidyTest } from './both-transports.ts';
import { viassh } from './run-viassh.ts';

/** `ssh -M -S … -N`, as a user has it running. */
async function startMaster(sshd: Sshd): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = join(sshd.folder, 'cm');
  const child = spawn('ssh', ['-F', sshd.configFile, '-M', '-S', path, '-N', '-q', 't'], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  await waitUntil('the master to log in', () => existsSync(path) || child.exitCode !== null);
  return {
    path,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL'); // ssh may miss a SIGTERM just before it polls, and then sleeps on
      await exited;
    },
  };
}

tidyTest('--control: the command runs on the master that is there, and nobody logs in again', async (t) => {
  await using sshd = await startSshd({ mode: 'listen' });
  await using master = await startMaster(sshd);
  const at = ['--control', master.path, '-F', sshd.configFile, 't'];
  const { code, stdout, stderr } = await viassh(['pipe', ...at, '--', 'cat; echo said >&2; exit 7'], {
    input: 'to and fro',
  });
  t.strictSame({ code, stdout: stdout.toString(), stderr }, { code: 7, stdout: 'to and fro', stderr: 'said\n' });
  const again = await viassh(['pipe', '-v', ...at, '--', 'exit 255']);
  t.equal(again.code, 255);
  t.match(again.stderr, /transport control: asked for; your ssh master answers on /);
  t.match(again.stderr, /ended: status 255/);
  t.equal((await sshd.log()).match(/Accepted publickey/g)?.length, 1);
  const refused = await viassh(['pipe', '-t', ...at, '--', 'true']);
  t.equal(refused.code, 255);
  t.match(refused.stderr, /\(CAPABILITY_MISSING\)/);
});

tidyTest('--control without a master there, and with another transport', async (t) => {
  await using sshd = await startSshd();
  const at = ['--control', join(sshd.folder, 'none'), '-F', sshd.configFile, 't'];
  const none = await viassh(['pipe', ...at, '--', 'true']);
  t.equal(none.code, 255);
  t.match(none.stderr, /^viassh: .*nothing is there; start one: ssh -M .* \(TRANSPORT_UNAVAILABLE\)\n {2}hint: .*\n$/);
  const both = await viassh(['pipe', '--transport', 'ssh2', ...at, '--', 'true']);
  t.equal(both.code, 64);
  t.match(both.stderr, /\(USAGE\)\n {2}hint: /);
  const demo = await viassh(['demo', '--control', join(sshd.folder, 'none')]);
  t.strictSame({ code: demo.code, stdout: demo.stdout.length }, { code: 64, stdout: 0 });
});
