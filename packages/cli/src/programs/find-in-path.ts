import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';

/** The executable file that a shell would run for `name`: one of PATH's, or the path that it is already. */
export function findInPath(name: string, { PATH = '' }: NodeJS.ProcessEnv): string | undefined {
  if (name.includes('/')) return isExecutable(name) ? name : undefined;
  return PATH.split(delimiter)
    .map((folder) => resolve(folder, name)) // an empty entry is the current folder
    .find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
