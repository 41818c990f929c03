import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { ViasshError } from '@viassh/core';
import { loadRemoteShell } from '../builtin.ts';

/**
 * `viassh rsh` and `viassh-ssh`: what rsync, cvs, git and the like call in place of ssh. With the openssh transport this
 * process becomes ssh; no byte passes through JavaScript.
 */
export async function runRemoteShell(argv: readonly string[]): Promise<number> {
  const { readRemoteShellCall } = await loadRemoteShell();
  const usual = JSON.parse(process.env['VIASSH_SSH_OPTIONS'] ?? '[]') as string[];
  const call = readRemoteShellCall([...usual, ...argv]);
  const file = findInPath('ssh');
  if (file === undefined) throw new ViasshError('PROGRAM_NOT_FOUND', 'the program ssh is not installed');
  process.execve?.(file, ['ssh', ...call.sshArguments], process.env);
  return 255;
}

/** The file that a shell would run. */
function findInPath(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
}
