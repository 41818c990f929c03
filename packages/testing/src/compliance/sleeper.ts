import { readFile } from 'node:fs/promises';
import process from 'node:process';
import type { Readable } from 'node:stream';
import { readUntil } from './collect.ts';

/** Tells its process id and then sleeps longer than any case may take, deaf to the end of its channel. */
export const sleeperCommand = 'echo $$; exec sleep 600';

/** The remote {@link sleeperCommand} once it said who it is; disposing ends it. */
export async function sleeperBehind(stdout: Readable): Promise<AsyncDisposable> {
  const pid = Number(await readUntil(stdout, '\n'));
  return {
    async [Symbol.asyncDispose]() {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      if (!command.startsWith('sleep\0')) return; // its server has ended it
      try {
        process.kill(pid);
      } catch {
        // gone in the meantime
      }
    },
  };
}
