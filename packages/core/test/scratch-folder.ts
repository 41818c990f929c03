import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

/** A folder of its own for one test, gone after it. */
export async function scratchFolder(t: Pick<Test, 'teardown'>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'viassh-core-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
