import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import process from 'node:process';
import { ViasshError } from '@viassh/core';

const EXEC_FORMATS: readonly string[] = ['7f454c46', 'cffaedfe', 'cafebabe']; // ELF, Mach-O of one and of several machines

/**
 * Makes this process the ssh that `file` is: it has our descriptors, our process id and our caller. Where a process
 * cannot be replaced, ssh is run with our descriptors, and its exit code comes back.
 *
 * @throws ViasshError PROGRAM_FAILED
 */
export async function becomeSsh(file: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  if (canBeExecuted(file)) process.execve?.(file, ['ssh', ...args], env);
  const child = spawn(file, args, { argv0: 'ssh', stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void child.kill(signal));
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    return code ?? 255;
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown reason';
    throw new ViasshError('PROGRAM_FAILED', `the program ${file} could not be started (${reason})`, {
      hint: 'look at the ssh that PATH has first',
      cause,
    });
  }
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
