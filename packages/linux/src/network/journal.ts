import { randomUUID } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, readlink, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { ViasshError } from '@viassh/core';
import type { Step } from './step.ts';
import { ownPid } from './own-pid.ts';

/** What stands because of one link of one process. */
export interface JournalEntry {
  /** Who takes it back. */
  readonly owner: { readonly pid: number; readonly startTime: string };
  /** Of the machine: what was set before it started again is gone by itself, but for files. */
  readonly boot: string;
  /** The network namespace. */
  readonly network: string;
  readonly device: string;
  /** Another one may have the device's name by now. */
  readonly deviceIndex: number;
  readonly steps: readonly Step[];
}

/** Keeps in files what is to be taken back, so that the next start can do it for a process that was killed. */
export interface Journal {
  /** A name for {@link write} that nobody has. */
  newName(): string;
  /** Replaces what `name` says, in one step. No steps: it is forgotten. @throws ViasshError NETWORK_SETUP_FAILED */
  write(name: string, link: Pick<JournalEntry, 'device' | 'deviceIndex' | 'steps'>): Promise<void>;
  forget(name: string): Promise<void>;
  /** Entries of this network namespace whose owner is gone; what cannot be read is none. */
  abandoned(): Promise<readonly (readonly [name: string, entry: JournalEntry, sameBoot: boolean])[]>;
}

/**
 * A journal in `folder`, which only its user may write to: what is in it is done as root. Default: /run/viassh-links of root,
 * and a folder for each other user, who may be the owner of a device, in the system's temporary folder.
 */
export function createJournal(folder: string = usualFolder()): Journal {
  const own = { pid: process.pid, boot: '', network: '', startTime: '' };

  async function prepare(): Promise<void> {
    if (own.boot !== '') return;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const { uid, mode } = await lstat(folder);
    if (uid !== process.geteuid?.() || (mode & 0o170022) !== 0o040000)
      throw new ViasshError('NETWORK_SETUP_FAILED', `others may write to ${folder}, or it is no folder`, {
        hint: 'what is to be undone is kept there: it must belong to the user who runs viassh, with mode 0700; --state-folder names another',
      });
    own.network = await readlink('/proc/self/ns/net');
    own.pid = await ownPid();
    own.startTime = (await startTimeOf(own.pid)) ?? '';
    own.boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  }

  return {
    newName: () => `link-${process.pid}-${randomUUID()}.json`,
    async write(name, link) {
      if (link.steps.length === 0) return this.forget(name);
      await prepare();
      const { pid, startTime, boot, network } = own;
      const entry: JournalEntry = { owner: { pid, startTime }, boot, network, ...link };
      const path = join(folder, name);
      await writeFile(`${path}.new`, JSON.stringify(entry), { mode: 0o600 });
      await rename(`${path}.new`, path);
    },
    forget: (name) => rm(join(folder, name), { force: true }),
    async abandoned() {
      const nothing = await lstat(folder).then(
        () => false,
        () => true,
      );
      if (nothing) return [];
      await prepare();
      const found: [string, JournalEntry, boolean][] = [];
      for (const name of await readdir(folder)) {
        if (!/^link-\d+-[\da-f-]+\.json$/.test(name)) continue;
        const entry = await readFile(join(folder, name), 'utf8').then(
          (text) => JSON.parse(text) as JournalEntry,
          () => undefined,
        );
        if (entry === undefined) continue;
        const sameBoot = entry.boot === own.boot;
        if (sameBoot && entry.network !== own.network) continue;
        if (sameBoot && (await startTimeOf(entry.owner.pid)) === entry.owner.startTime) continue;
        found.push([name, entry, sameBoot]);
      }
      return found;
    },
  };
}

function usualFolder(): string {
  const uid = process.geteuid?.() ?? 0;
  return uid === 0 ? '/run/viassh-links' : join(tmpdir(), `viassh-links-${uid}`);
}

/** proc_pid_stat(5), field 22: a process number may have been given to another since. */
async function startTimeOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : fields[19];
}
