import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startSshd } from '@viassh/testing';
import { onBothTransports } from './both-transports.ts';
import { reaching, runProgram } from './run-program.ts';

onBothTransports('rsync -e viassh-ssh brings a file there', async (t, transport) => {
  await using sshd = await startSshd();
  const folder = t.testdir();
  await mkdir(join(folder, 'from'));
  await writeFile(join(folder, 'from/file'), 'what it says');
  const args = ['-a', '-e', 'viassh-ssh', `${folder}/from/`, `${sshd.destination}:to/`];
  const { code, stderr } = await runProgram('rsync', args, { env: reaching(sshd, transport) });
  t.equal(stderr, '');
  t.equal(code, 0);
  t.equal(await readFile(join(sshd.home, 'to/file'), 'utf8'), 'what it says');
});
