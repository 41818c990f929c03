import { chown, link, mkdir, open, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram, missingForSshd } from '@viassh/testing';

/** For tap: the reason why rsync cannot be tested here, or false. */
export const skipWithoutRsync: string | false =
  (await missingForSshd()) ?? ((await findProgram('rsync')) === undefined && 'rsync is not installed');

const PER_FOLDER = 100;
const MIB = 1024 * 1024;

/**
 * A tree of `count` entries besides its folders: small files, symlinks, hard links, names of all kinds, a sparse file of
 * 8 MiB that takes 8 KiB.
 */
export async function makeTree(folder: string, count: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  const sparse = await open(join(folder, 'sparse'), 'w');
  await sparse.write(Buffer.alloc(4096, 1), 0, 4096, 0);
  await sparse.write(Buffer.alloc(4096, 2), 0, 4096, 8 * MIB - 4096);
  await sparse.close();
  const special = [
    'with blank',
    "it's $(touch x) `y` {a,b} *",
    '-dash',
    'ünï¢ödé ☃',
    ' lead',
    'back\\slash',
    'new\nline',
    '#~',
  ];
  for (const name of special) await writeFile(join(folder, name), name);
  await symlink('with blank', join(folder, 'link'));
  await symlink('/nowhere/at all', join(folder, 'dangling'));
  await link(join(folder, 'with blank'), join(folder, 'hard'));
  const made = special.length + 4;
  for (let number = 0; number < count - made; number += 1) {
    const sub = join(folder, `folder ${Math.floor(number / PER_FOLDER)}`);
    if (number % PER_FOLDER === 0) await mkdir(sub);
    await writeFile(join(sub, `${number}`), `file number ${number}\n`);
  }
}

/** Gives all below `folder` to somebody. */
export async function giveTo(
  folder: string,
  { uid, gid }: { readonly uid: number; readonly gid: number },
): Promise<void> {
  if (process.getuid?.() !== 0) return;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (!entry.isSymbolicLink()) await chown(join(entry.parentPath, entry.name), uid, gid);
  await chown(folder, uid, gid);
}
