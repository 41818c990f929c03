import { lstat, mkdir } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { Logger } from '@viassh/core';

/** `log` below `$VIASSH_STATE_DIR`, or below `viassh` in `$XDG_STATE_HOME` or `~/.local/state`. */
export function brokerLogFolder({ VIASSH_STATE_DIR: own, XDG_STATE_HOME: xdg }: NodeJS.ProcessEnv): string {
  if (own !== undefined && own !== '') return join(own, 'log');
  const folder = xdg !== undefined && isAbsolute(xdg) ? xdg : join(userInfo().homedir, '.local', 'state');
  return join(folder, 'viassh', 'log');
}

/**
 * Makes it (0700) where it is missing; one that is there must be this user's, and nobody else may write to it. Undefined,
 * and one warning, where that is not so: the broker does its work without log files.
 */
export async function prepareLogFolder(variables: NodeJS.ProcessEnv, log: Logger): Promise<string | undefined> {
  const folder = brokerLogFolder(variables);
  const fault = await faultOf(folder);
  if (fault === undefined) return folder;
  log.warning(`no log files are written: ${folder} ${fault}; VIASSH_STATE_DIR names another place`);
  return undefined;
}

async function faultOf(folder: string): Promise<string | undefined> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const found = await lstat(folder);
    if (!found.isDirectory()) return 'is no folder';
    if (found.uid !== userInfo().uid) return `belongs to another user (uid ${found.uid})`;
    return (found.mode & 0o022) === 0 ? undefined : 'may be written to by others';
  } catch (error) {
    return `cannot be made (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'})`;
  }
}
