import { createHash } from 'node:crypto';
import { copyFile, link, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { ViasshError } from '@viassh/core';

/** `broker.pid` in the runtime folder: while it names a process that runs, there is a broker. */
export const lockName = 'broker.pid';

/** That this broker is the one of its runtime folder. */
export interface BrokerLock extends AsyncDisposable {
  /** Takes the file away, if it still is ours. */
  release(): Promise<void>;
}

/**
 * Makes this process the broker of the runtime folder. The file holds the process id and, in a second line, when that
 * process started, so that a stale one is told from another process that got its number. It comes whole into its place.
 *
 * @throws ViasshError BROKER_RUNNING
 */
export async function lockBroker(folder: string, pid: number): Promise<BrokerLock> {
  const path = join(folder, lockName);
  const own = `${pid}\n${(await startOf(pid)) ?? ''}\n`;
  const made = `${path}.${pid}`;
  await writeFile(made, own, { mode: 0o600 });
  try {
    while (!(await takePlace(made, path))) {
      const found = await contentOf(path);
      if (found === undefined) continue; // it was let go of meanwhile
      const [holder = '', started = ''] = found.split('\n');
      if (await isAlive(holder, started)) {
        throw new ViasshError('BROKER_RUNNING', `a broker runs already (process ${holder})`, {
          hint: 'viassh status shows what it does; viassh reload has it read the configuration again',
        });
      }
      if (await replaceStale(made, path, found)) break;
    }
  } finally {
    await unlink(made).catch(() => undefined);
  }
  const release = async (): Promise<void> => {
    if ((await contentOf(path)) === own) await unlink(path).catch(() => undefined);
  };
  return { release, [Symbol.asyncDispose]: release };
}

async function takePlace(made: string, path: string): Promise<boolean> {
  try {
    await link(made, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Puts ours in the place of a stale one. Who may do that for just this stale one is decided by a file of its own, and then it
 * is looked at once more: nobody takes away what another broker has put there meanwhile.
 */
async function replaceStale(made: string, path: string, stale: string): Promise<boolean> {
  const right = `${path}.${createHash('sha256').update(stale).digest('hex').slice(0, 16)}`;
  if (!(await takePlace(made, right))) {
    const [other = '', started = ''] = ((await contentOf(right)) ?? '').split('\n');
    if (other !== '' && !(await isAlive(other, started))) await unlink(right).catch(() => undefined); // it died at it
    await setTimeout(1);
    return false;
  }
  try {
    if ((await contentOf(path)) !== stale) return false;
    await copyFile(made, `${made}.new`);
    await rename(`${made}.new`, path);
    return true;
  } finally {
    await unlink(right).catch(() => undefined);
  }
}

async function contentOf(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').catch(() => undefined);
}

async function isAlive(pid: string, started: string): Promise<boolean> {
  if (!/^[1-9]\d*$/.test(pid)) return false;
  const now = await startOf(Number(pid));
  if (now !== undefined) return started === '' || now === started;
  // Where there is no /proc, the control socket decides.
  return false;
}

/** proc(5), stat, field 22: ticks since the machine started. Undefined for one that has ended, were its parent yet to notice. */
async function startOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined);
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}
