import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { ViasshError } from '@viassh/core';

/**
 * ssh as a child with our descriptors, where this process cannot become it. Gives its exit code.
 *
 * @throws ViasshError PROGRAM_FAILED
 */
export async function runSsh(file: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
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
