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
    [Buffer.from('one two\n\xe4\n', 'latin1'), 0o600, undefined],
    ['', 0o600, /is empty/],
    ['\nsecond line\n', 0o600, /is empty/],
    ['secret\n', 0o640, /others may read/],
    [`${'a'.repeat(256)}\n`, 0o600, /longer than 255 bytes/],
    [`${'\u00e4'.repeat(128)}\n`, 0o600, /longer than 255 bytes/],
    [Buffer.from('\xe4\n', 'latin1'), 0o600, /is no UTF-8/],
  ] as const) {
    await writeFile(file, content, { mode: 0o600 });
    await chmod(file, mode);
    if (error === undefined) t.same(await read(), { name: 'joe', secret: 'one two' });
    else await t.rejects(read(), { code: 'OPTION_INVALID', message: error });
  }
});

t.test('what does not fit into the packets of PAP is not cut, but refused', async (t) => {
  const { signal } = new AbortController();
  const read = async (name: string, secret: string) =>
    await readCredentials({ name, secretFile: undefined, askpass: 'ask' }, { programs: say(secret), peer: '', signal });
  const long = 'a'.repeat(255);
  t.same(await read(long, long), { name: long, secret: long });
  await t.rejects(read(`${long}a`, 'secret'), { code: 'OPTION_INVALID', message: /^the name .*255 bytes/ });
  await t.rejects(read('joe', `${long}a`), { code: 'OPTION_INVALID', message: /^the secret .*255 bytes/ });
});

/** An askpass that prints it. */
function say(secret: string): ProgramRunner {
  const run = async () => ({ exit: { kind: 'status', code: 0 }, stdout: `${secret}\n` });
  return { run } as unknown as ProgramRunner;
}
