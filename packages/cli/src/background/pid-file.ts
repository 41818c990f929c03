import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import process from 'node:process';
import { ViasshError } from '@viassh/core';

/**
 * Puts our process id into a file, whole from its first moment on; what was there is replaced. The file goes with this
 * process, unless somebody else has put theirs there.
 *
 * @param askedBy what named the file: for the message
 * @throws ViasshError OPTION_INVALID
 */
export function keepPidFile(path: string, askedBy = '--pid-file'): void {
  const text = `${process.pid}\n`;
  const made = join(dirname(path), `.${basename(path)}.${process.pid}`);
  try {
    writeFileSync(made, text, { flag: 'wx', mode: 0o644 });
    renameSync(made, path);
  } catch (cause) {
    rmSync(made, { force: true });
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown reason';
    throw new ViasshError('OPTION_INVALID', `${askedBy}: ${path} cannot be written (${reason})`, {
      hint: 'name a file in a folder that is there and where you may write, e.g. below $XDG_RUNTIME_DIR',
      cause,
    });
  }
  process.once('exit', () => {
    if (contentOf(path) === text) rmSync(path, { force: true });
  });
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // taken away already
  }
}
