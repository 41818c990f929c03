import { realpathSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findInPath } from './programs/find-in-path.ts';

/** Where the files are that are run, from wherever in the package this is: `src`, `dist`, or the bundle itself. */
const here = join(dirname(fileURLToPath(import.meta.url)), '../bundle');

/** The `viassh` command. */
export const mainFile: string = join(here, 'main.js');
/** Our remote shell, as a program of its own. */
export const remoteShellFile: string = join(here, 'viassh-ssh.js');

/** The commands of this installation, by what works in every folder: the bare name when PATH has it, else its path. */
export interface InstalledCommands {
  readonly viassh: string;
  readonly remoteShell: string;
}

export function installedCommands(variables: NodeJS.ProcessEnv): InstalledCommands {
  return {
    viassh: nameOrPath('viassh', mainFile, variables),
    remoteShell: nameOrPath('viassh-ssh', remoteShellFile, variables),
  };
}

function nameOrPath(name: string, file: string, variables: NodeJS.ProcessEnv): string {
  const launcher = launcherOf(name);
  const found = findInPath(name, variables);
  const ours = [file, ...(launcher === undefined ? [] : [launcher])].map(realPath);
  return found !== undefined && ours.includes(realPath(found)) ? name : (launcher ?? file);
}

/** In a clone: the script in its root, which finds Node by itself. */
function launcherOf(name: string): string | undefined {
  const root = join(here, '../../..');
  return relative(root, here) === join('packages', 'cli', 'bundle') ? findInPath(join(root, name), {}) : undefined;
}

function realPath(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}
