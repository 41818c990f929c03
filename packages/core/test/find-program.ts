import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** For `skip` of a test: false when the program is in PATH, else the reason. */
export function isMissing(program: string): string | false {
  const isThere = (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  return !isThere && `${program} is not installed`;
}
