import { join } from 'node:path';
import { createProgramRunner } from '@viassh/program';
import { findSshd, type Sshd, waitUntil } from '@viassh/testing';

/** Starts the listener of a fixture that was killed again: the same port, the keys that are in its files now. */
export async function restartSshd(sshd: Sshd): Promise<void> {
  const [program, logFile] = [await findSshd(), join(sshd.folder, 'sshd.log')];
  const listening = async (): Promise<number> => (await sshd.log()).split('Server listening on').length;
  const before = await listening();
  await createProgramRunner().start({
    file: program?.file ?? 'sshd',
    args: ['-D', '-f', join(sshd.folder, 'sshd_config'), '-E', logFile],
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  await waitUntil('sshd to listen again', async () => (await listening()) > before);
}
