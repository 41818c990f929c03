import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PrivateSystem } from '../processes/private-system.ts';
import type { MailServer } from './mail-server.ts';

let submissions = 0;

/** Gives a mail to `sendmail` in a private system, from a file: a mail is bytes, and may be large. */
export async function submit(
  system: PrivateSystem,
  folder: string,
  { from, to, content }: Parameters<MailServer['submit']>[0],
  options: readonly string[] = [],
): Promise<void> {
  const file = join(folder, `submitted-${++submissions}`);
  await writeFile(file, content);
  const script = 'file=$1; shift; exec /usr/sbin/sendmail -i "$@" <"$file"';
  const { exit, stderr } = await system.run('sh', ['-c', script, 'sh', file, ...options, '-f', from, '--', ...to]);
  await rm(file);
  if (exit.kind !== 'status' || exit.code !== 0) throw new Error(`sendmail did not take it: ${stderr}`);
}
