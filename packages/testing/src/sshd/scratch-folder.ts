import { existsSync, rmSync } from 'node:fs';
import { chmod, mkdtemp, readdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { atExit } from '../processes/at-exit.ts';
import { killQuietly, listProcesses } from '../processes/processes.ts';

/** A folder of one's own that goes away. */
export interface ScratchFolder extends AsyncDisposable {
  readonly path: string;
}

/** Every scratch folder's name begins so, followed by the process id. */
export const scratchPrefix = 'viassh-test-';

let swept: Promise<void> | undefined;

/** Makes a folder under the system's temporary one. Others may pass through (0711) to what they can name, and not list. */
export async function makeScratchFolder(): Promise<ScratchFolder> {
  const parent = await realpath(tmpdir());
  await (swept ??= sweep(parent));
  const path = await mkdtemp(join(parent, `${scratchPrefix}${process.pid}-`));
  await chmod(path, 0o711);
  const forget = atExit(() => rmSync(path, { recursive: true, force: true }));
  return {
    path,
    async [Symbol.asyncDispose]() {
      forget();
      await rm(path, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** Once in each process: what test processes that were killed left behind goes, with the programs that were started from there. */
async function sweep(parent: string): Promise<void> {
  const names = (await readdir(parent)).filter((name) => name.startsWith(scratchPrefix));
  const dead = names.filter((name) => !existsSync(`/proc/${name.slice(scratchPrefix.length).split('-')[0]}`));
  if (dead.length === 0 || !existsSync('/proc/self')) return;
  const processes = await listProcesses();
  for (const name of dead) {
    for (const { pid, command } of processes) if (command.includes(`/${name}/`)) killQuietly(pid, 'SIGKILL');
    await rm(join(parent, name), { recursive: true, force: true }).catch(() => undefined); // another process may sweep too
  }
}
