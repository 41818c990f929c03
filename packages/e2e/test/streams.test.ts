import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startSshd } from '@viassh/testing';
import { onBothTransports } from './both-transports.ts';
import { at, startViassh, viassh } from './run-viassh.ts';

const MIB = 1024 * 1024;
const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');

onBothTransports('64 MiB of random bytes come back from cat as they went', async (t, transport) => {
  await using sshd = await startSshd();
  const input = randomBytes(64 * MIB);
  const { code, stdout, stderr } = await viassh(['pipe', ...at(sshd, transport), '--', 'cat'], { input });
  t.strictSame({ code, stderr, length: stdout.length }, { code: 0, stderr: '', length: input.length });
  t.equal(sha256(stdout), sha256(input));
});

onBothTransports('files and shell pipes as stdin and stdout lose nothing', async (t, transport) => {
  await using sshd = await startSshd();
  const input = randomBytes(3 * MIB + 1);
  const [from, to, err] = ['from', 'to', 'err'].map((name) => join(sshd.folder, name)) as [string, string, string];
  await writeFile(from, input);
  const command = ['pipe', ...at(sshd, transport), '--', 'tee /dev/stderr'];
  const files = await viassh(command, { shell: `"$@" <'${from}' >'${to}' 2>'${err}'` });
  t.strictSame({ code: files.code, stderr: files.stderr }, { code: 0, stderr: '' });
  t.equal(sha256(await readFile(to)), sha256(input), 'stdout is a file');
  t.equal(sha256(await readFile(err)), sha256(input), 'stderr is a file');
  const pipes = await viassh(command, { shell: `cat '${from}' | "$@" 2>'${err}' | cat` });
  t.equal(sha256(pipes.stdout), sha256(input), 'stdout is a pipe');
  t.equal(sha256(await readFile(err)), sha256(input));
});

onBothTransports('a file as stdin is read from where it stands, and the next one reads on', async (t, transport) => {
  await using sshd = await startSshd();
  const file = join(sshd.folder, 'input');
  const input = randomBytes(MIB + 5);
  await writeFile(file, input);
  const shell = `{ dd bs=1 count=5 of=/dev/null 2>/dev/null; "$@"; wc -c; } <'${file}'`;
  const { code, stdout } = await viassh(['pipe', ...at(sshd, transport), '--', 'cat'], { shell });
  t.strictSame({ code, length: stdout.length }, { code: 0, length: MIB + 2 });
  t.equal(sha256(stdout.subarray(0, MIB)), sha256(input.subarray(5)));
  t.equal(stdout.subarray(MIB).toString(), '0\n');
});

onBothTransports('stderr stays apart, also when there is much of it and stdout is silent', async (t, transport) => {
  await using sshd = await startSshd();
  const small = await viassh(['pipe', ...at(sshd, transport), '--', 'echo out; echo err >&2; exit 3']);
  t.strictSame(
    { ...small, stdout: small.stdout.toString() },
    { code: 3, signal: null, stdout: 'out\n', stderr: 'err\n' },
  );
  const big = await viassh(['pipe', ...at(sshd, transport), '--', 'head -c 8M /dev/zero | tr "\\0" e >&2; echo done']);
  t.equal(big.stdout.toString(), 'done\n');
  t.equal(big.stderr.length, 8 * MIB);
  t.match(big.stderr, /^e+$/);
});

onBothTransports(
  'a command gets its end of input when stdin is closed at once, empty or not there',
  async (t, transport) => {
    await using sshd = await startSshd();
    const command = ['pipe', ...at(sshd, transport), '--', 'wc -c'];
    for (const run of [{ input: '' }, { stdin: 'ignore' }, { shell: '"$@" <&-' }] as const) {
      const { code, stdout, stderr } = await viassh(command, run);
      t.strictSame(
        { code, stdout: stdout.toString(), stderr },
        { code: 0, stdout: '0\n', stderr: '' },
        JSON.stringify(run),
      );
    }
  },
);

onBothTransports('-n reads nothing from stdin and does not wait for its end', async (t, transport) => {
  await using sshd = await startSshd();
  await using running = startViassh(['pipe', '-n', ...at(sshd, transport), '--', 'wc -c']);
  running.stdin.write('not for you');
  t.equal(Buffer.concat(await running.stdout.toArray()).toString(), '0\n');
  t.strictSame(await running.exit, { code: 0, signal: null });
});

onBothTransports('the end of the command is our end, even while stdin stays open', async (t, transport) => {
  await using sshd = await startSshd();
  await using running = startViassh(['pipe', ...at(sshd, transport), '--', 'head -c 3; exit 5']);
  running.stdin.write('abcdef');
  t.equal(Buffer.concat(await running.stdout.toArray()).toString(), 'abc');
  t.strictSame(await running.exit, { code: 5, signal: null });
  t.equal(running.stderr(), '');
});

onBothTransports('a reader that goes away early ends it quietly', async (t, transport) => {
  await using sshd = await startSshd();
  const { code, stdout, stderr } = await viassh(['pipe', ...at(sshd, transport), '--', 'yes'], {
    shell: '"$@" | head -1',
  });
  t.strictSame({ code, stdout: stdout.toString(), stderr }, { code: 0, stdout: 'y\n', stderr: '' });
  const own = await viassh(['pipe', ...at(sshd, transport), '--', 'yes'], {
    shell: '{ "$@"; echo "code $?" >&2; } | head -1',
  });
  t.equal(own.stderr, 'code 141\n', 'as a shell shows SIGPIPE');
});

onBothTransports('input that nobody reads any more is no error: the exit code counts', async (t, transport) => {
  await using sshd = await startSshd();
  const { code, stderr } = await viassh(['pipe', ...at(sshd, transport), '--', 'exec <&-; exit 4'], {
    input: randomBytes(8 * MIB),
  });
  t.strictSame({ code, stderr }, { code: 4, stderr: '' });
});

onBothTransports('a full disk is said as such', async (t, transport) => {
  await using sshd = await startSshd();
  const { code, stderr } = await viassh(['pipe', ...at(sshd, transport), '--', 'head -c 1M /dev/zero'], {
    shell: '"$@" >/dev/full',
  });
  t.equal(code, 255);
  t.match(stderr, /^viassh: writing the output failed: .*ENOSPC.* \(STREAM_FAILED\)\n {2}hint: .*disk\n$/);
});

onBothTransports('several runs at the same time do not mix', async (t, transport) => {
  await using sshd = await startSshd();
  const both = join(sshd.folder, 'both');
  await mkdir(both);
  await chmod(both, 0o777);
  const outcomes = await Promise.all(
    ['a', 'b', 'c'].map((name) =>
      viassh(['pipe', ...at(sshd, transport), '--', `tee ${both}/${name}`], { input: name }),
    ),
  );
  t.strictSame(
    outcomes.map(({ stdout }) => stdout.toString()),
    ['a', 'b', 'c'],
  );
  t.equal(await readFile(join(both, 'b'), 'utf8'), 'b');
});
