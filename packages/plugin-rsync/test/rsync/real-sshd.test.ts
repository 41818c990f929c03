import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createProgramRunner } from '@viassh/program';
import { findProgram, missingForSshd, type Sshd, startSshd, waitUntil, watchLeaks } from '@viassh/testing';
import { createRsync, type Rsync } from '../../src/rsync/rsync.ts';

const skip = (await missingForSshd()) ?? ((await findProgram('rsync')) === undefined && 'rsync is not installed');

/** rsync with the fixture's ssh for its remote shell. */
async function rsyncTo(t: Test, { configFile }: Sshd): Promise<{ rsync: Rsync; folder: string }> {
  const files = Array.from({ length: 300 }, (_, number) => [`file ${number}`, `number ${number}`] as const);
  const folder = t.testdir({ from: Object.fromEntries(files) });
  const path = join(folder, 'shell');
  await writeFile(path, `#!/bin/sh\nexec ssh -F '${configFile}' "$@"\n`);
  await chmod(path, 0o755);
  return { rsync: createRsync({ programs: createProgramRunner(), remoteShell: { path } }), folder };
}

t.test('the library brings a tree to a real sshd and tells how far it is', { skip }, async (t) => {
  await watchLeaks(t);
  await using sshd = await startSshd();
  const { rsync, folder } = await rsyncTo(t, sshd);
  const seen: number[] = [];
  const result = await rsync(`${folder}/from/`, `${sshd.destination}:to/`, {
    onProgress: ({ filesTransferred }) => filesTransferred !== undefined && seen.push(filesTransferred),
  });
  t.match(result, { files: 301, transferred: 300, deleted: 0 });
  t.ok(result.bytesSent > result.literalBytes);
  t.equal(seen.at(-1), 300);
  t.strictSame(
    seen,
    seen.toSorted((left, right) => left - right),
  );
  t.equal(await readFile(join(sshd.home, 'to/file 299'), 'utf8'), 'number 299');
  t.match(await rsync(`${folder}/from/`, `${sshd.destination}:to/`), { transferred: 0, literalBytes: 0 });
});

t.test('an abort leaves nothing on either end', { skip }, async (t) => {
  await watchLeaks(t);
  await using sshd = await startSshd({ mode: 'listen' });
  const { rsync, folder } = await rsyncTo(t, sshd);
  await writeFile(join(folder, 'from/large'), Buffer.alloc(8_000_000, 1));
  const controller = new AbortController();
  await t.rejects(
    rsync(`${folder}/from/`, `${sshd.destination}:to/`, {
      args: ['-a', '--bwlimit=500'],
      signal: controller.signal,
      onProgress: () => controller.abort(),
    }),
    { code: 'ABORTED' },
  );
  await waitUntil('the far end to be gone', async () => (await sshd.processes()).length === 1);
});
