import type { ProgramFailure, ProgramOutput } from '@viassh/core';
import t from 'tap';
import { gitProgram, rsyncProgram, scpProgram, sftpProgram } from '../../src/index.ts';

const noisy: ProgramOutput = { exit: { kind: 'status', code: 0 }, stdout: '\nhello \u001b[31mthere\n', stderr: '' };

/** Whom an explanation asked, for a failure with these arguments. */
async function asked(
  program: { explain?(failure: ProgramFailure): Promise<string | undefined> },
  code: number,
  args: readonly string[],
): Promise<readonly string[]> {
  const hosts: string[] = [];
  const ask = (destination: string): Promise<ProgramOutput> => {
    hosts.push(destination);
    return Promise.resolve(noisy);
  };
  await program.explain?.({ code, args, ask });
  return hosts;
}

t.test('git: the destination is found in every form of a URL, and refspecs are none', async (t) => {
  for (const [line, ...hosts] of [
    ['clone joe@host:a:b', 'joe@host'],
    ['-C dir clone --depth 1 -b main ssh://joe@host:22/~/a copy', 'joe@host:22'],
    ['ls-remote git+ssh://host/a', 'host'],
    ['fetch --depth 1 [host:22]:a', 'host:22'],
    ['fetch joe@[::1]:a main:main', 'joe@[::1]'],
    ['push origin main:main'],
    ['clone ./a:b'],
    ['clone /a:b'],
    ['clone https://host/a:b'],
    ['log a:b'],
  ] as const)
    t.strictSame(await asked(gitProgram, 128, line.split(' ')), hosts, line);
  t.strictSame(await asked(gitProgram, 1, ['clone', 'host:a']), [], 'another failure asks nobody');
});

t.test('scp and sftp: the destination is the first operand that is no local file', async (t) => {
  for (const [line, ...hosts] of [
    ['-r -P 22 -oX=y ./a:b /c:d joe@host:e', 'joe@host:22'],
    ['-rP22 a scp://joe@host:23/b', 'joe@host:23'],
    ['-- -a [::1]:b', '[::1]'],
    ['a b'],
  ] as const)
    t.strictSame(await asked(scpProgram, 255, line.split(' ')), hosts, line);
  t.strictSame(await asked(scpProgram, 1, ['a', 'host:']), [], 'a missing file asks nobody');
  t.strictSame(await asked(scpProgram, 1, ['-pO', 'a', 'host:']), ['host']);
  t.strictSame(await asked(sftpProgram, 255, ['-b', '-', '-P', '22', 'joe@host']), ['joe@host:22']);
  t.strictSame(await asked(sftpProgram, 255, ['sftp://host:22/a']), ['host:22']);
});

const explain = (answer: Promise<ProgramOutput>): Promise<string | undefined> | undefined =>
  sftpProgram.explain?.({ code: 255, args: ['host'], ask: () => answer });

t.test('an explanation shows no control characters, and says nothing of a silent or unreachable shell', async (t) => {
  t.match(await explain(Promise.resolve(noisy)), /: "hello \\u001b\[31mthere"; let its start-up files/);
  t.equal(await explain(Promise.resolve({ ...noisy, stdout: '' })), undefined);
  t.equal(await explain(Promise.resolve({ ...noisy, exit: { kind: 'status', code: 1 } })), undefined, 'a refusal');
  t.equal(await explain(Promise.reject(new Error('nobody there'))), undefined);
});

t.test('nobody is asked where the way that the program took is not ours', async (t) => {
  for (const line of [
    '-e ssh a host:b',
    '-aze ssh a host:b',
    '-essh a host:b',
    '--rsh=ssh a host:b',
    '--rsh ssh a host:b',
  ])
    t.strictSame(await asked(rsyncProgram, 12, line.split(' ')), [], line);
  for (const line of ['-a a host:b', '-Te a host:b', '--suffix -e a host:b', 'a host:b -- -e'])
    t.strictSame(await asked(rsyncProgram, 12, line.split(' ')), ['host'], line);
  for (const line of ['-S ssh', '-F file', '-J hop']) {
    t.strictSame(await asked(scpProgram, 255, [...line.split(' '), 'a', 'host:b']), [], line);
    t.strictSame(await asked(sftpProgram, 255, [...line.split(' '), 'host']), [], line);
  }
});
