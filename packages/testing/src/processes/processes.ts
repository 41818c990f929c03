import { readFileSync } from 'node:fs';
import { readdir, readlink } from 'node:fs/promises';
import process from 'node:process';
import { waitUntil } from './wait-until.ts';

/** One process as /proc shows it. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  /** When it was started, in clock ticks since boot: with `pid` it is one process and no other. */
  readonly started: number;
  /** Effective user id. */
  readonly uid: number;
  /** Words of the command line, joined by blanks; a name in brackets where there is none. */
  readonly command: string;
}

/** All processes that are alive (no zombies), from /proc; empty where there is none. */
export async function listProcesses(): Promise<ProcessEntry[]> {
  const names = await readdir('/proc').catch(() => []);
  return names
    .filter((name) => /^\d+$/.test(name))
    .map(readProcess)
    .filter((entry) => entry !== undefined);
}

/** The processes below `ancestor`, itself not included. */
export function descendantsOf(ancestor: number, processes: readonly ProcessEntry[]): ProcessEntry[] {
  const children = processes.filter(({ parent }) => parent === ancestor);
  return children.flatMap((child) => [child, ...descendantsOf(child.pid, processes)]);
}

/** True when the process has this file open. False also when it may not be looked at. */
export async function holdsOpen(pid: number, file: string): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  const names = await readdir(folder).catch(() => []);
  const links = await Promise.all(names.map((name) => readlink(`${folder}/${name}`).catch(() => '')));
  return links.includes(file);
}

/**
 * Kills all processes that `find` gives, and those that it gives afterwards, until there are none (SIGKILL).
 *
 * @throws Error when some stay alive for 5 s.
 */
export async function killAll(find: () => Promise<readonly ProcessEntry[]>): Promise<void> {
  await waitUntil('processes to go away after SIGKILL', async () => {
    const found = await find();
    for (const { pid } of found) killQuietly(pid, 'SIGKILL');
    return found.length === 0;
  });
}

/** Sends a signal; a process that is gone already, or is not ours, is no error. */
export function killQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}

/** Synchronous, as this comes from memory, and the way through the thread pool costs many times more. */
function readProcess(name: string): ProcessEntry | undefined {
  const [status, words, stat] = ['status', 'cmdline', 'stat'].map((file) => readQuietly(`/proc/${name}/${file}`));
  if (status === undefined || words === undefined || stat === undefined || /^State:\s+[ZX]/m.test(status))
    return undefined;
  const field = (key: string, column = 1): number =>
    Number(status.match(new RegExp(`^${key}:(.*)$`, 'm'))?.[1]?.split('\t')[column] ?? -1);
  const command = words.replace(/\0+$/, '').replaceAll('\0', ' ') || `[${status.match(/^Name:\t(.*)$/m)?.[1] ?? '?'}]`;
  const STARTTIME = 19; // proc(5) field 22, counted behind the name in parentheses
  const started = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[STARTTIME]);
  return { pid: Number(name), parent: field('PPid'), started, uid: field('Uid', 2), command };
}

function readQuietly(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined; // it has ended meanwhile
  }
}
