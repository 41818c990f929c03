import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, chmod, mkdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { findProgram, startSshd } from '@viassh/testing';
import { onBothTransports, skipWithoutSshd } from './both-transports.ts';
import { giveToUser, makeFarFolder } from './far-folder.ts';
import { addAccount, applyRecipe } from './recipes-and-accounts.ts';
import { reaching, runProgram } from './run-program.ts';
import { startThree } from './three-hops.ts';

const config = ['Subsystem sftp internal-sftp'];
const content = randomBytes(300_000);
const when = new Date('2001-02-03T04:05:06Z');
const oddNames = ['-dash', 'a:b', `it's "odd" $(id)`, 'grüße 你好', 'back\\slash', 'new\nline'];

for (const [protocol, flags] of [
  ['sftp', []],
  ['the legacy protocol', ['-O']],
] as const) {
  onBothTransports(`scp by ${protocol}: a tree goes there and comes back byte for byte`, async (t, transport) => {
    await using sshd = await startSshd({ config });
    const [here, far] = [t.testdir(), await makeFarFolder(sshd)];
    // Without quotes of its own for the shell there, the legacy protocol would run what is in a name.
    const names = protocol === 'sftp' ? oddNames : ['-dash', 'a:b', 'grüße 你好'];
    await mkdir(join(here, 'tree/inner'), { recursive: true });
    for (const name of names) await writeFile(join(here, 'tree/inner', name), content);
    await utimes(join(here, 'tree/inner/-dash'), when, when);
    await chmod(join(here, 'tree/inner/-dash'), 0o640);
    const run = async (...args: string[]): Promise<void> => {
      const { code, stderr } = await runProgram('viassh', ['scp', ...flags, '-rp', ...args], {
        env: reaching(sshd, transport),
        cwd: here,
      });
      t.equal(code, 0, stderr);
      t.equal(stderr, '');
    };
    await run('tree', `t:${far}/copy`);
    await run(`scp://t/${far}/copy`, 'back');
    for (const name of names) {
      t.ok((await readFile(join(far, 'copy/inner', name))).equals(content), `${name} there`);
      t.ok((await readFile(join(here, 'back/inner', name))).equals(content), `${name} back`);
    }
    for (const file of [join(far, 'copy/inner/-dash'), join(here, 'back/inner/-dash')]) {
      const { mtime, mode } = await stat(file);
      t.strictSame([mtime, mode & 0o777], [when, 0o640], file);
    }
  });

  onBothTransports(`scp by ${protocol}: exit codes and words are those of scp with ssh`, async (t, transport) => {
    await using sshd = await startSshd({ config });
    const [here, far] = [t.testdir(), await makeFarFolder(sshd)];
    for (const args of [
      [`t:${far}/missing`, here],
      [`${here}/missing`, `t:${far}`],
      [`t:${far}`, here],
      ['-l', 'much', `t:${far}/x`, here],
    ]) {
      const options = { env: reaching(sshd, transport), cwd: here };
      const ours = await runProgram('viassh', ['scp', ...flags, ...args], options);
      const plain = await runProgram('scp', [...flags, '-F', sshd.configFile, ...args], options);
      t.not(plain.code, 0);
      t.strictSame([ours.code, ours.stderr], [plain.code, plain.stderr], args.join(' '));
    }
  });
}

onBothTransports('scp: -P is the port and -l the bandwidth', async (t, transport) => {
  await using sshd = await startSshd({ config, mode: 'listen' });
  const [here, far] = [t.testdir({ file: 'said' }), await makeFarFolder(sshd)];
  const env = reaching(sshd, transport);
  const args = ['-P', String(sshd.port), '-l', '80000', join(here, 'file'), `${sshd.user}@t:${far}`];
  const { code, stderr } = await runProgram('viassh', ['scp', ...args], { env });
  t.equal(code, 0, stderr);
  t.equal(await readFile(join(far, 'file'), 'utf8'), 'said');
  t.equal((await runProgram('viassh', ['scp', ...args.with(1, '1')], { env })).code, 255, 'nobody there');
});

onBothTransports('scp: -J leads over two hops, and -3 from one far end to another', async (t, transport) => {
  await using stack = new AsyncDisposableStack();
  const [first, , far] = await startThree(stack, config);
  const [here, near, end] = [t.testdir({ file: 'said' }), await makeFarFolder(first), await makeFarFolder(far)];
  const run = async (...args: string[]): Promise<void> => {
    const { code, stderr } = await runProgram('viassh', ['scp', ...args], { env: reaching(far, transport), cwd: here });
    t.equal(code, 0, stderr);
  };
  await run('-J', 'first,second', 'file', `far:${end}/by-hops`);
  t.equal(await readFile(join(end, 'by-hops'), 'utf8'), 'said');
  await run('-3', `far:${end}/by-hops`, `first:${near}/by-us`);
  t.equal(await readFile(join(near, 'by-us'), 'utf8'), 'said');
});

onBothTransports('scp -R: the first far end runs its own scp, which knows nothing of viassh', async (t, transport) => {
  await using sshd = await startSshd({ config });
  const far = await makeFarFolder(sshd);
  await writeFile(join(far, 'file'), 'said');
  await giveToUser(sshd, far);
  const { code, stderr } = await runProgram('viassh', ['scp', '-R', `t:${far}/file`, 'nowhere.invalid:x'], {
    env: reaching(sshd, transport),
  });
  t.equal(code, 1, stderr);
  t.match(stderr, /ssh: Could not resolve hostname nowhere\.invalid/);
});

onBothTransports(
  'scp: its progress meter is there on a terminal',
  async (t, transport) => {
    await using sshd = await startSshd({ config });
    const [here, far] = [t.testdir({ file: 'said' }), await makeFarFolder(sshd)];
    const { code, stdout } = await runProgram('script', ['-qec', `viassh scp file t:${far}/`, '/dev/null'], {
      env: reaching(sshd, transport),
      cwd: here,
    });
    t.equal(code, 0);
    t.match(stdout.toString(), /file\s+100%\s+4\s/);
  },
  skipWithoutSshd || ((await findProgram('script')) === undefined ? 'no script (Debian: bsdutils)' : false),
);

onBothTransports('scp: the recipe, as printed, makes scp use viassh in a new shell', async (t, transport) => {
  await using sshd = await startSshd({ config });
  const [here, far] = [t.testdir({ file: 'said' }), await makeFarFolder(sshd)];
  for (const [shell, file, start] of [
    ['/bin/bash', '.bashrc', 'bash --rcfile .bashrc -ic'],
    ['/bin/sh', '.profile', 'ENV=$HOME/.profile sh -ic'],
  ] as const) {
    const options = { env: { ...reaching(sshd, transport), HOME: here, SHELL: shell }, cwd: here };
    await applyRecipe('scp', sshd.destination, options);
    await access(join(here, file));
    const { code, stderr } = await runProgram('sh', ['-c', `${start} 'scp file t:${far}/${file}'`], options);
    t.equal(code, 0, stderr);
    t.equal(await readFile(join(far, file), 'utf8'), 'said');
  }
});

onBothTransports('scp account: files by sftp, and the legacy protocol is refused', async (t, transport) => {
  await using sshd = await startSshd({ config });
  const [here, far] = [t.testdir({ file: 'said' }), await makeFarFolder(sshd)];
  const env = reaching(await addAccount(sshd, ['scp', '--directory', far]), transport);
  const sent = await runProgram('viassh', ['scp', 'file', 't:there'], { env, cwd: here });
  t.equal(sent.code, 0, sent.stderr);
  t.equal(await readFile(join(far, 'there'), 'utf8'), 'said');
  const refused = await runProgram('viassh', ['scp', '-O', 'file', `t:${far}/legacy`], { env, cwd: here });
  t.not(refused.code, 0);
  await t.rejects(access(join(far, 'legacy')));
});

onBothTransports(
  'scp: a start-up file that prints is named, with what to do, for both protocols',
  async (t, transport) => {
    await using sshd = await startSshd({ config: ['Subsystem sftp /usr/lib/openssh/sftp-server'] });
    const [here, far] = [t.testdir({ file: 'said' }), await makeFarFolder(sshd)];
    await promisify(execFile)('usermod', ['--shell', '/bin/bash', sshd.user]);
    await writeFile(join(sshd.home, '.bashrc'), 'echo welcome to this machine\n');
    const options = { env: reaching(sshd, transport), cwd: here };
    for (const flags of [[], ['-O']]) {
      const { code, stderr } = await runProgram('viassh', ['scp', ...flags, 'file', `t:${far}`], options);
      t.equal(code, flags.length === 0 ? 255 : 1, stderr);
      t.match(stderr, /the shell on t prints before the protocol begins: "welcome to this machine".*\.bashrc/);
    }
  },
  skipWithoutSshd || (process.getuid?.() === 0 ? false : 'only root changes a login shell'),
);
