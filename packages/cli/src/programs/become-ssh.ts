import process from 'node:process';
import { canBeExecuted } from './can-be-executed.ts';
import { unignoreSignals } from './unignore-signals.ts';

/**
 * Makes this process the ssh that `file` is: it has our descriptors, our process id and our caller. Returns where a
 * process cannot be replaced by this file.
 */
export function becomeSsh(file: string, args: readonly string[], env: NodeJS.ProcessEnv): void {
  unignoreSignals();
  if (canBeExecuted(file)) process.execve?.(file, ['ssh', ...args], env);
}
