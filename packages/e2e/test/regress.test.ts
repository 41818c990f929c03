import { randomBytes } from 'node:crypto';
import { chown, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Sshd, startSshd } from '@viassh/testing';
import { onBothTransports } from './both-transports.ts';
import { type ProgramRunOptions, runProgram } from './run-program.ts';
import type { Outcome } from './run-viassh.ts';

/**
 * Counterparts of OpenSSH's own regress tests of pipes and exit truth. Each call is made twice, with the same words: by
 * ssh and by our remote shell. Both have to end alike, and in the way that the test says.
 */
async function asSsh(
  transport: string,
  sshd: Sshd,
  words: readonly string[],
  { script = '"$@"', ...options }: ProgramRunOptions & { readonly script?: string } = {},
): Promise<Outcome> {
  const run = (shell: string): Promise<Outcome> =>
    runProgram('sh', ['-c', script, 'sh', shell, '-F', sshd.configFile, ...words], {
      ...options,
      env: { VIASSH_TRANSPORT: transport },
    });
  const theirs = await run('ssh');
  const ours = await run('viassh-ssh');
  if (shown(theirs) !== shown(ours) || !theirs.stdout.equals(ours.stdout))
    throw new Error(`not as with ssh: ${words.join(' ')}\nssh:    ${shown(theirs)}\nviassh: ${shown(ours)}`);
  return ours;
}

const shown = ({ code, signal, stdout, stderr }: Outcome): string =>
  JSON.stringify({ code, signal, stdout: stdout.toString('latin1').slice(0, 200), length: stdout.length, stderr });

/** A file of the far user with random bytes. */
async function dataFile(sshd: Sshd, bytes: number): Promise<{ readonly file: string; readonly data: Buffer }> {
  const file = join(sshd.folder, 'data');
  const data = randomBytes(bytes);
  await writeFile(file, data);
  await chown(file, sshd.uid, sshd.gid);
  return { file, data };
}

onBothTransports('connect', async (t, transport) => {
  await using sshd = await startSshd({ mode: 'listen' });
  t.match(await asSsh(transport, sshd, ['t', 'true']), { code: 0, stderr: '' });
  t.match(await asSsh(transport, sshd, ['-q', '--', 't', 'echo in']), { code: 0, stdout: Buffer.from('in\n') });
});

onBothTransports('exit-status', async (t, transport) => {
  await using sshd = await startSshd();
  for (const status of [0, 1, 4, 5, 44, 255]) {
    t.equal((await asSsh(transport, sshd, ['t', 'exit', String(status)])).code, status);
    t.equal((await asSsh(transport, sshd, ['-n', 't', 'exit', String(status)])).code, status, `-n, ${status}`);
    const early = `exec >/dev/null 2>&1; exit ${status}`;
    t.equal((await asSsh(transport, sshd, ['t', early])).code, status, `its outputs closed before, ${status}`);
  }
});

onBothTransports('exit-status-signal', async (t, transport) => {
  await using sshd = await startSshd();
  for (const signal of ['TERM', 'KILL', 'USR1', 'PIPE'])
    t.match(await asSsh(transport, sshd, ['t', `kill -${signal} $$`]), { code: 255, stderr: '' }, signal);
});

onBothTransports('transfer', async (t, transport) => {
  await using sshd = await startSshd();
  const { file, data } = await dataFile(sshd, 1_500_000);
  t.ok((await asSsh(transport, sshd, ['-n', '-q', 't', 'cat', file])).stdout.equals(data), 'from there');
  const copy = join(sshd.home, 'copy');
  for (const size of ['10', '100', '1k', '32k', '64k', '128k', '256k']) {
    const script = `dd if='${file}' obs=${size} 2>/dev/null | "$@"`;
    t.equal((await asSsh(transport, sshd, ['-q', 't', `cat > ${copy}`], { script })).code, 0);
    t.ok((await readFile(copy)).equals(data), `to there, in pieces of ${size}`);
  }
});

onBothTransports('stderr-data', async (t, transport) => {
  await using sshd = await startSshd();
  const { file, data } = await dataFile(sshd, 300_000);
  const script = '"$@" 2>&1 >/dev/null';
  for (const n of [[], ['-n']]) {
    const words = [...n, '-q', 't', 'exec', 'sh', '-c', `'exec > /dev/null; cat ${file} 1>&2; exit 3'`];
    const { code, stdout } = await asSsh(transport, sshd, words, { script });
    t.equal(code, 3);
    t.ok(stdout.equals(data), `all of it, and nothing else ${n.join('')}`);
    const both = ['-q', 't', 'exec', 'sh', '-c', `'echo a; exec > /dev/null; echo b 1>&2; exit 66'`];
    t.match(await asSsh(transport, sshd, [...n, ...both]), { code: 66, stdout: Buffer.from('a\n'), stderr: 'b\n' });
  }
});

onBothTransports('stderr-after-eof', async (t, transport) => {
  await using sshd = await startSshd();
  const data = randomBytes(500_000);
  const copy = join(sshd.home, 'copy');
  const command = `exec > /dev/null; cat > ${copy}; cat ${copy} 1>&2`;
  const words = ['-q', 't', 'exec', 'sh', '-c', `'${command}'`];
  const { code, stdout } = await asSsh(transport, sshd, words, { input: data, script: '"$@" 2>&1 >/dev/null' });
  t.equal(code, 0);
  t.ok(stdout.equals(data), 'what came on stderr after the end of stdin');
});

onBothTransports('yes-head', async (t, transport) => {
  await using sshd = await startSshd();
  const script = '{ "$@"; echo $? >&2; } | head -2000';
  const { stdout, stderr } = await asSsh(transport, sshd, ['t', 'while :; do echo yes; done'], { script });
  t.equal(stdout.toString(), 'yes\n'.repeat(2000));
  t.equal(stderr, '255\n', 'and the exit code is that of ssh');
});

onBothTransports('proxy-connect', async (t, transport) => {
  await using sshd = await startSshd(); // by its ProxyCommand, which is in the file of -F
  for (const options of [[], ['-C'], ['-oCompression=yes'], ['-oProxyUseFdpass=no']])
    t.match(await asSsh(transport, sshd, [...options, 't', 'echo in; exit 5']), {
      code: 5,
      stdout: Buffer.from('in\n'),
    });
});
