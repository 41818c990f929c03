import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import process from 'node:process';
import { unignoreSignals } from './unignore-signals.ts';

const EXEC_FORMATS: readonly string[] = ['7f454c46', 'cffaedfe', 'cafebabe']; // ELF, Mach-O of one and of several machines

/**
 * Makes this process the ssh that `file` is: it has our descriptors, our process id and our caller. Returns where a
 * process cannot be replaced by this file.
 */
export function becomeSsh(file: string, args: readonly string[], env: NodeJS.ProcessEnv): void {
  unignoreSignals();
  if (canBeExecuted(file)) process.execve?.(file, ['ssh', ...args], env);
}

/** Will the system start it? An execve that fails ends this process. */
function canBeExecuted(file: string): boolean {
  const start = Buffer.alloc(256);
  try {
    const descriptor = openSync(file, 'r');
    readSync(descriptor, start);
    closeSync(descriptor);
  } catch {
    return false; // it may be run and not read
  }
  if (EXEC_FORMATS.includes(start.toString('hex', 0, 4))) return true;
  const interpreter = /^#![ \t]*(\/[^\s\0]+)/.exec(start.toString('latin1'))?.[1];
  return interpreter !== undefined && existsSync(interpreter);
}
