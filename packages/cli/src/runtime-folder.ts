import { lstatSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/**
 * `$VIASSH_RUNTIME_DIR`, `$XDG_RUNTIME_DIR/viassh` when that folder is this user's (after `su` it is somebody else's), or
 * one of this user in the temporary folder.
 */
export function runtimeFolder({ VIASSH_RUNTIME_DIR: own, XDG_RUNTIME_DIR: xdg }: NodeJS.ProcessEnv): string {
  if (own !== undefined && own !== '') return own;
  const { uid } = userInfo();
  const isOurs = xdg !== undefined && xdg !== '' && lstatSync(xdg, { throwIfNoEntry: false })?.uid === uid;
  return isOurs ? join(xdg, 'viassh') : join(tmpdir(), `viassh-${uid}`);
}
