import { lstat, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { ViasshError } from '@viassh/core';

/** `sun_path` of the BSDs less the suffix under which ssh creates its control socket before it moves it in place. */
const LONGEST_SOCKET_PATH = 104 - 1 - 17;

/** A folder of our own, 0700: the control socket, ssh's log and the helpers of one master live in it. */
export interface PrivateFolder {
  readonly path: string;
  /** A file in it. */
  file(name: string): string;
  remove(): Promise<void>;
}

/**
 * Makes a private folder below `parent` (made 0700 when it is not there), or below the system's temporary folder when
 * the path would be too long for a socket or has a blank.
 *
 * @throws ViasshError TRANSPORT_UNAVAILABLE when the parent is not safe: another owner, writable by others.
 */
export async function makePrivateFolder(parent: string): Promise<PrivateFolder> {
  const path = await mkdtemp(join(await safeParent(parent), 'm-'));
  return { path, file: (name) => join(path, name), remove: () => rm(path, { recursive: true, force: true }) };
}

async function safeParent(parent: string): Promise<string> {
  const place = fits(parent) ? parent : join(tmpdir(), `viassh-${userInfo().uid}`);
  try {
    await mkdir(place, { recursive: true, mode: 0o700 });
    const found = await lstat(place);
    if (!found.isDirectory()) throw new Error('it is not a folder');
    if (found.uid !== userInfo().uid) throw new Error('it belongs to somebody else');
    if ((found.mode & 0o022) !== 0) throw new Error('others can write in it');
    return place;
  } catch (error) {
    throw new ViasshError(
      'TRANSPORT_UNAVAILABLE',
      `the runtime folder ${place} cannot be used: ${(error as Error).message}`,
      {
        hint: 'set VIASSH_RUNTIME_DIR to a folder that is yours alone',
        cause: error,
      },
    );
  }
}

function fits(parent: string): boolean {
  return join(parent, 'm-XXXXXX', 's').length <= LONGEST_SOCKET_PATH && !/[\s"'\\%]/.test(parent);
}
