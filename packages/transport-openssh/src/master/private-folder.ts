import { lstat, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { quoteWord, ViasshError } from '@viassh/core';

/** `sun_path` of the BSDs less the suffix under which ssh creates its control socket before it moves it in place. */
const LONGEST_SOCKET_PATH = 104 - 1 - 17;
const PREFIX = 'm-';

/** A folder of our own, 0700: the control socket, ssh's log and the helper scripts of one master live in it. */
export interface PrivateFolder {
  readonly path: string;
  /** A file in it. */
  file(name: string): string;
  /** Writes an executable for `/bin/sh` that knows the folder as `$here`. */
  writeScript(name: string, body: string): Promise<void>;
  remove(): Promise<void>;
}

/**
 * Makes a private folder below `parent` (made 0700 when it is not there). Where that path would be too long for a socket,
 * or has a character that ssh expands, it goes below the system's temporary folder, or /tmp.
 *
 * @throws ViasshError TRANSPORT_UNAVAILABLE when no place is safe: another owner, writable by others, not writable.
 */
export async function makePrivateFolder(parent: string): Promise<PrivateFolder> {
  const place = await safeParent(parent);
  const path = await mkdtemp(join(place, PREFIX)).catch((error: unknown) => {
    throw unusable(place, error);
  });
  const file = (name: string): string => join(path, name);
  return {
    path,
    file,
    writeScript: (name, body) =>
      writeFile(file(name), `#!/bin/sh\nhere=${quoteWord(path)}\n${body}\n`, { mode: 0o700 }),
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

/**
 * Takes away folders beside this one whose master is gone: its keeper was killed before it could. Only a socket that
 * refuses is proof. What cannot be looked at, or is taken away by another process meanwhile, is left alone.
 */
export async function sweepBeside(folder: PrivateFolder): Promise<void> {
  const place = dirname(folder.path);
  const names = (await readdir(place)).filter((name) => name.startsWith(PREFIX));
  await Promise.allSettled(
    names.map(async (name) => {
      const other = join(place, name);
      if (await refuses(join(other, 's'))) await rm(other, { recursive: true, force: true });
    }),
  );
}

async function refuses(socketPath: string): Promise<boolean> {
  return await new Promise<boolean>((done) => {
    const socket = connect(socketPath);
    socket.once('connect', () => {
      socket.destroy();
      done(false);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => done(error.code === 'ECONNREFUSED'));
  });
}

async function safeParent(parent: string): Promise<string> {
  const own = `viassh-${userInfo().uid}`;
  const place = [resolve(parent), join(tmpdir(), own), join('/tmp', own)].find(fits) ?? join('/tmp', own);
  try {
    await mkdir(place, { recursive: true, mode: 0o700 });
    const found = await lstat(place);
    if (!found.isDirectory()) throw new Error('it is not a folder');
    if (found.uid !== userInfo().uid) throw new Error('it belongs to somebody else');
    if ((found.mode & 0o022) !== 0) throw new Error('others can write in it');
    return place;
  } catch (error) {
    throw unusable(place, error);
  }
}

function unusable(place: string, error: unknown): ViasshError {
  return new ViasshError(
    'TRANSPORT_UNAVAILABLE',
    `the runtime folder ${place} cannot be used: ${(error as Error).message}`,
    { hint: 'set VIASSH_RUNTIME_DIR to a folder that is yours alone', cause: error },
  );
}

function fits(parent: string): boolean {
  const socket = join(parent, `${PREFIX}XXXXXX`, 's');
  return Buffer.byteLength(socket) <= LONGEST_SOCKET_PATH && /^[\w./+@,:=-]+$/.test(parent);
}
