import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Sshd } from '@viassh/testing';

/** A folder that the user of the fixture owns, and that goes away with it. */
export async function makeFarFolder(sshd: Sshd, name = 'files'): Promise<string> {
  const folder = join(sshd.folder, name);
  await mkdir(folder);
  await giveToUser(sshd, folder);
  return folder;
}

/** All in this folder belongs to the user of the fixture from now on. */
export async function giveToUser(sshd: Sshd, folder: string): Promise<void> {
  await promisify(execFile)('chown', ['-R', `${sshd.uid}:${sshd.gid}`, folder]);
}
