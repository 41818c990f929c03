import process from 'node:process';
import type { Sshd } from '@viassh/testing';

/** SIGKILL for every sshd that serves a connection: the listener stays, and takes new ones. */
export async function cutSessions(sshd: Pick<Sshd, 'processes' | 'pid'>): Promise<number> {
  const serving = (await sshd.processes()).filter((pid) => pid !== sshd.pid);
  for (const pid of serving) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it went with its parent
    }
  }
  return serving.length;
}
