import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ViasshError } from '@viassh/core';
import { type AuthorityEntry, parseAuthority } from './parse-authority.ts';

/** An Xauthority file has some hundred bytes. */
const LARGEST = 1024 * 1024;

/** Where Xlib looks when XAUTHORITY is not set. */
export function usualAuthority(): string {
  return join(homedir(), '.Xauthority');
}

/**
 * The entries of a file; none when there is no such file, or where it is /dev/null: so people write that there is none.
 *
 * @throws ViasshError DISPLAY_UNUSABLE when it cannot be read
 */
export async function readAuthority(path: string): Promise<readonly AuthorityEntry[]> {
  if (path === '/dev/null') return [];
  try {
    // a FIFO in its place must not hold us up
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const found = await file.stat();
    if (!found.isFile() || found.size > LARGEST) throw new Error('it is not such a file');
    return parseAuthority(await file.readFile());
  } catch (error) {
    const cause = error as NodeJS.ErrnoException;
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return [];
    throw new ViasshError('DISPLAY_UNUSABLE', `the file with the cookie, ${path}, cannot be read: ${cause.message}`, {
      hint: 'XAUTHORITY must name the file of this user',
      cause,
    });
  }
}
