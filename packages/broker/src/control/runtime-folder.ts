import { lstat, mkdir } from 'node:fs/promises';
import { ViasshError } from '@viassh/core';
import { ownUser } from './own-user.ts';

/**
 * Makes the runtime folder (0700) where it is missing. One that is there must be a folder of this user, in which nobody
 * else may write or look: whoever can may put a socket of their own in the place of ours.
 *
 * @throws ViasshError FOLDER_UNSAFE
 */
export async function prepareRuntimeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    const { code = 'unknown reason' } = cause as NodeJS.ErrnoException;
    throw unsafe(`${folder} cannot be made (${code})`, cause);
  }
  await checkRuntimeFolder(folder);
}

/** The second half of {@link prepareRuntimeFolder}. @throws ViasshError FOLDER_UNSAFE */
export async function checkRuntimeFolder(folder: string): Promise<void> {
  const [found, own] = await Promise.all([lstat(folder).catch((cause: unknown) => cause as Error), ownUser()]);
  if (found instanceof Error) throw unsafe(`${folder} cannot be looked at`, found);
  if (!found.isDirectory()) throw unsafe(`${folder} is no folder`);
  if (found.uid !== own) throw unsafe(`${folder} belongs to another user (uid ${found.uid})`);
  if ((found.mode & 0o077) !== 0) {
    const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
    throw unsafe(`other users have rights on ${folder} (mode ${mode})`);
  }
}

/** For what is found in a runtime folder, too. */
export function unsafe(message: string, cause?: unknown): ViasshError {
  return new ViasshError('FOLDER_UNSAFE', message, {
    hint: 'name a folder of your own with VIASSH_RUNTIME_DIR, or take away the rights of others (chmod 700)',
    cause,
  });
}
