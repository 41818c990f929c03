import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProgramRunner } from '@viassh/core';
import { makeScratchFolder } from '@viassh/testing';
import t from 'tap';
import { readCredentials } from '../../src/far-ends/secret.ts';

t.test('a secret file: its first line; refused when it has none, is missing, or others may read it', async (t) => {
  await using scratch = await makeScratchFolder();
  const { signal } = new AbortController();
  const programs = {} as ProgramRunner;
  const file = join(scratch.path, 'secret');
  const read = async () =>
    await readCredentials({ name: 'joe', secretFile: file, askpass: undefined }, { programs, peer: 'gate', signal });
  await t.rejects(read(), { code: 'OPTION_INVALID', message: /ENOENT/ });
  for (const [content, mode, error] of [
    ['one two\r\nthree\n', 0o600, undefined],
    ['', 0o600, /is empty/],
    ['\nsecond line\n', 0o600, /is empty/],
    ['secret\n', 0o640, /others may read/],
  ] as const) {
    await writeFile(file, content, { mode: 0o600 });
    await chmod(file, mode);
    if (error === undefined) t.same(await read(), { name: 'joe', secret: 'one two' });
    else await t.rejects(read(), { code: 'OPTION_INVALID', message: error });
  }
});
