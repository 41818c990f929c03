import { realpathSync } from 'node:fs';
import { delimiter } from 'node:path';
import process from 'node:process';
import { findInPath } from './find-in-path.ts';

/** The first ssh in PATH that is not ourselves: a link named `ssh` may lead here. */
export function findSsh({ PATH = '' }: NodeJS.ProcessEnv): string | undefined {
  const ours = realpathSync(process.argv[1] ?? '/');
  for (const folder of PATH.split(delimiter)) {
    const file = findInPath('ssh', { PATH: folder });
    if (file !== undefined && realpathSync(file) !== ours) return file;
  }
  return undefined;
}
