import { closeSync, existsSync, openSync, readSync } from 'node:fs';

const EXEC_FORMATS: readonly string[] = ['7f454c46', 'cffaedfe', 'cafebabe']; // ELF, Mach-O of one and of several machines

/** Will the system itself start the file? An execve that fails ends this process. */
export function canBeExecuted(file: string): boolean {
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
