import { lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import process from 'node:process';
import { ViasshError } from '@viassh/core';

/**
 * Whether {@link keepPidFile} will be able to; leaves nothing behind.
 *
 * @throws ViasshError OPTION_INVALID
 */
export function tryPidFile(path: string, askedBy = '--pid-file'): void {
  rmSync(write(path, askedBy));
}

/**
 * Puts our process id into a file, whole from its first moment on; what was there is replaced. The file goes with this
 * process, unless somebody else has put theirs there.
 *
 * @param askedBy what named the file: for the message
 * @throws ViasshError OPTION_INVALID
 */
export function keepPidFile(path: string, askedBy = '--pid-file'): void {
  const made = write(path, askedBy);
  try {
    renameSync(made, path);
  } catch (cause) {
    rmSync(made, { force: true });
    throw notWritten(path, cause, askedBy);
  }
  process.once('exit', () => {
    if (contentOf(path) === ownText()) rmSync(path, { force: true });
  });
}

/** The file beside it that is to take its place. */
function write(path: string, askedBy: string): string {
  const made = join(dirname(path), `.${basename(path)}.${process.pid}`);
  try {
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true)
      throw Object.assign(new Error('a folder'), { code: 'EISDIR' });
    writeFileSync(made, ownText(), { flag: 'wx', mode: 0o644 });
    return made;
  } catch (cause) {
    throw notWritten(path, cause, askedBy);
  }
}

function ownText(): string {
  return `${process.pid}\n`;
}

function notWritten(path: string, cause: unknown, askedBy: string): ViasshError {
  const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown reason';
  return new ViasshError('OPTION_INVALID', `${askedBy}: ${path} cannot be written (${reason})`, {
    hint: 'name a file in a folder that is there and where you may write, e.g. below $XDG_RUNTIME_DIR',
    cause,
  });
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // taken away already
  }
}
