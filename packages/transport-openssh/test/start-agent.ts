import { createProgramRunner } from '@viassh/program';
import { waitUntil } from '@viassh/testing';
import { access } from 'node:fs/promises';

/** A real ssh-agent with one key. Disposing ends it. */
export interface Agent extends AsyncDisposable {
  readonly socketPath: string;
}

/** Starts an agent on a socket of this path. */
export async function startAgent(socketPath: string, keyFile: string): Promise<Agent> {
  const programs = createProgramRunner();
  const agent = await programs.start({
    file: 'ssh-agent',
    args: ['-D', '-a', socketPath],
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  await waitUntil('the agent to listen', () =>
    access(socketPath).then(
      () => true,
      () => false,
    ),
  );
  const { exit, stderr } = await programs.run({
    file: 'ssh-add',
    args: ['-q', keyFile],
    env: { SSH_AUTH_SOCK: socketPath },
  });
  if (exit.kind !== 'status' || exit.code !== 0) throw new Error(`ssh-add failed: ${stderr}`);
  return {
    socketPath,
    async [Symbol.asyncDispose]() {
      agent.kill('SIGTERM');
      await agent.exit;
    },
  };
}
