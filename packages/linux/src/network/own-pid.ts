import { readlink } from 'node:fs/promises';
import process from 'node:process';

/** This process as /proc names it: not its own number where /proc is that of another pid namespace. */
export async function ownPid(): Promise<number> {
  const named = Number(await readlink('/proc/self').catch(() => ''));
  return named > 0 ? named : process.pid;
}
