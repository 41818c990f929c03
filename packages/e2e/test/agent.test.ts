import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { createProgramRunner } from '@viassh/program';
import { startSshd, waitUntil } from '@viassh/testing';
import { onBothTransports } from './both-transports.ts';
import { at, viassh } from './run-viassh.ts';

const programs = createProgramRunner();

/** A real ssh-agent with one key. */
async function startAgent(path: string, keyFile: string): Promise<AsyncDisposable> {
  const stdio = ['ignore', 'ignore', 'ignore'] as const;
  const agent = await programs.start({ file: 'ssh-agent', args: ['-D', '-a', path], stdio });
  await waitUntil('the agent to listen', () =>
    access(path).then(
      () => true,
      () => false,
    ),
  );
  await programs.run({ file: 'ssh-add', args: ['-q', keyFile], env: { SSH_AUTH_SOCK: path } });
  return {
    async [Symbol.asyncDispose]() {
      agent.kill('SIGTERM');
      await agent.exit;
    },
  };
}

onBothTransports('-A and -a: the last one counts, and goes before ssh_config', async (t, transport) => {
  await using sshd = await startSshd();
  const path = join(sshd.folder, 'agent');
  const key = await sshd.generateKey();
  await using _ = await startAgent(path, key.file);
  const { stdout: fingerprint } = await programs.run({ file: 'ssh-keygen', args: ['-lf', `${key.file}.pub`] });
  const list = async (...options: string[]): Promise<string> => {
    const args = ['-o', 'IdentityAgent=SSH_AUTH_SOCK', ...options, ...at(sshd, transport)];
    const { stdout } = await viassh(['pipe', ...args, '--', 'ssh-add -l 2>/dev/null || echo none'], {
      env: { SSH_AUTH_SOCK: path },
    });
    return stdout.toString();
  };
  for (const options of [['-A'], ['-aA'], ['-A', '-oForwardAgent=no'], ['-oForwardAgent=yes']])
    t.equal(await list(...options), fingerprint, options.join(' '));
  for (const options of [[], ['-A', '-a'], ['-a', '-oForwardAgent=yes']])
    t.equal(await list(...options), 'none\n', options.join(' '));
});

onBothTransports('-A where there is no agent: the far end is told of none', async (t, transport) => {
  await using sshd = await startSshd();
  const args = ['-A', '-o', 'IdentityAgent=SSH_AUTH_SOCK', ...at(sshd, transport)];
  const { code, stdout } = await viassh(['pipe', ...args, '--', 'echo "${SSH_AUTH_SOCK-unset}"']);
  t.strictSame({ code, stdout: stdout.toString() }, { code: 0, stdout: 'unset\n' });
});
