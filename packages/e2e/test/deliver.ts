import { chown, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import type { Sshd } from '@viassh/testing';

/** A mail for a Maildir of the fixture's user, as an MTA does it: written in tmp, then there at once. */
export async function deliver({ uid, gid }: Pick<Sshd, 'uid' | 'gid'>, maildir: string, text: string): Promise<void> {
  const name = '1800000000.M1P1.mail.example';
  const file = join(maildir, 'tmp', name);
  await writeFile(file, text, { mode: 0o600 });
  if (process.getuid?.() === 0) await chown(file, uid, gid);
  await rename(file, join(maildir, 'new', name));
}
