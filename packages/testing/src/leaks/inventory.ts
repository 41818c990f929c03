import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { descendantsOf, listProcesses, type ProcessEntry } from '../processes/processes.ts';
import { waitUntil } from '../processes/wait-until.ts';
import { scratchPrefix } from '../sshd/scratch-folder.ts';
import { nameSockets, openDescriptors } from './descriptors.ts';

/** What belongs to this process at one moment: what tells a thing apart, and the line that names it. */
export type Inventory = ReadonlyMap<string, string>;

/** Where to look beside the process itself. */
export interface InventoryOptions {
  /** Folders in which nothing new may stay, e.g. a transport's runtime folder. */
  readonly folders?: readonly string[] | undefined;
}

const MARK = 'VIASSH_TEST_RUN';
let mark: string | undefined;

/**
 * Lists descriptors, listening sockets, processes and private folders. The first call marks this process's
 * environment, so that programs started later are found even when their parent is gone.
 */
export async function takeInventory({ folders = [] }: InventoryOptions = {}): Promise<Inventory> {
  process.env[MARK] = mark ??= randomUUID();
  const descriptors = await openDescriptors(); // first and alone: the others open files for a moment
  const [processes, entries] = await Promise.all([ownProcesses(mark), Promise.all(folders.map(entriesOf))]);
  // A process may change its title, so that is not what tells it apart.
  return new Map([
    ...processes.map(({ pid, started, command }): [string, string] => [
      `process ${pid} ${started}`,
      `process ${pid}: ${command}`,
    ]),
    ...[...descriptors, ...entries.flat()].map((line): [string, string] => [line, line]),
  ]);
}

/**
 * What is there now and was not in `before`. Waits for it to go away for up to `withinMs` (default 3000), because
 * programs need a moment to end; empty when nothing is left.
 */
export async function findLeaks(
  before: Inventory,
  { withinMs = 3000, ...where }: InventoryOptions & { readonly withinMs?: number } = {},
): Promise<string[]> {
  let left: string[] = [];
  const nothingLeft = async (): Promise<boolean> => {
    left = [...(await takeInventory(where))].filter(([key]) => !before.has(key)).map(([, line]) => line);
    return left.length === 0;
  };
  await waitUntil('everything to be gone', nothingLeft, { withinMs, everyMs: 20 }).catch(() => undefined);
  return await nameSockets(left);
}

/** Those below this process, those that carry its mark, and those that name its scratch folders or users. */
async function ownProcesses(ownMark: string): Promise<ProcessEntry[]> {
  const all = await listProcesses();
  const below = new Set(descendantsOf(process.pid, all).map(({ pid }) => pid));
  const traces = [`${scratchPrefix}${process.pid}-`, `vt${process.pid}x`];
  return all.filter(({ pid, command }) => {
    if (pid === process.pid) return false;
    if (below.has(pid) || traces.some((trace) => command.includes(trace))) return true;
    return environmentOf(pid).includes(`${MARK}=${ownMark}`);
  });
}

function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1');
  } catch {
    return ''; // it has ended meanwhile, or is none of ours
  }
}

async function entriesOf(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).map((name) => `folder entry: ${join(folder, name)}`);
}
