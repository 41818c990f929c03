import { lstatSync, mkdirSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * Has V8's compiled code of what is loaded from here on kept in `$XDG_CACHE_HOME/viassh` or `~/.cache/viassh`. What lies
 * there is run: a folder that somebody else owns or may write to is not used. Goes without where that fails. Node's own
 * NODE_COMPILE_CACHE (another folder) and NODE_DISABLE_COMPILE_CACHE come first.
 */
export function keepCompiledCode(variables: NodeJS.ProcessEnv): void {
  if (variables['NODE_COMPILE_CACHE'] !== undefined || variables['NODE_DISABLE_COMPILE_CACHE'] !== undefined) return;
  try {
    const folder = cacheFolder(variables['XDG_CACHE_HOME']);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (isOurs(folder)) enableCompileCache(folder);
  } catch {
    // no home folder, a read-only disk: every start compiles anew
  }
}

/** Below the home folder of the password database, and not $HOME, which `sudo` may leave at somebody else's. */
function cacheFolder(xdg: string | undefined): string {
  const base = xdg !== undefined && isAbsolute(xdg) ? xdg : join(userInfo().homedir, '.cache'); // XDG: relative is ignored
  return join(base, 'viassh');
}

function isOurs(folder: string): boolean {
  const { uid, mode } = lstatSync(folder);
  return uid === userInfo().uid && (mode & 0o022) === 0;
}
