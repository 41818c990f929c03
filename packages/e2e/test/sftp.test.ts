import { randomBytes } from 'node:crypto';
import { access, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { startSshd } from '@viassh/testing';
import { onBothTransports, skipWithoutSshd } from './both-transports.ts';
import { giveToUser, makeFarFolder } from './far-folder.ts';
import { addAccount, applyRecipe, sshdConfigOf } from './recipes-and-accounts.ts';
import { reaching, runProgram } from './run-program.ts';
import { startThree } from './three-hops.ts';

const config = ['Subsystem sftp internal-sftp'];
const content = randomBytes(300_000);

onBothTransports('sftp: a batch puts, gets, resumes both ways, renames and removes', async (t, transport) => {
  await using sshd = await startSshd({ config });
  const [here, far] = [t.testdir(), await makeFarFolder(sshd)];
  await writeFile(join(here, `an "odd" name`), content);
  await writeFile(join(here, 'resumed'), content.subarray(0, 100_000));
  await writeFile(join(far, 'resumed'), content.subarray(0, 100_000));
  await giveToUser(sshd, far);
  const batch = [
    `cd ${far}`,
    `put "an \\"odd\\" name" first`,
    'rename first second',
    'reput "an \\"odd\\" name" resumed',
    'reget second resumed',
    'get second "-back"',
    'ls -1',
    'rm second',
  ];
  await writeFile(join(here, 'batch'), `${batch.join('\n')}\n`);
  const options = { env: reaching(sshd, transport), cwd: here };
  const { code, stdout, stderr } = await runProgram('viassh', ['sftp', '-b', 'batch', 't'], options);
  t.equal(code, 0, stderr);
  t.match(stdout.toString(), /^resumed\s*\nsecond\s*\n/m);
  for (const file of [join(here, 'resumed'), join(here, '-back'), join(far, 'resumed')])
    t.ok((await readFile(file)).equals(content), file);
  t.strictSame(await readdir(far), ['resumed']);
});

onBothTransports(
  'sftp: a batch stops at the command that fails, with the status and words of sftp',
  async (t, transport) => {
    await using sshd = await startSshd({ config });
    const [here, far] = [t.testdir(), await makeFarFolder(sshd)];
    const options = { env: reaching(sshd, transport), cwd: here, input: `cd ${far}\nget missing\nmkdir after\n` };
    const ours = await runProgram('viassh', ['sftp', '-b', '-', 't'], options);
    const plain = await runProgram('sftp', ['-F', sshd.configFile, '-b', '-', 't'], options);
    t.equal(plain.code, 1);
    t.strictSame([ours.code, ours.stdout.toString(), ours.stderr], [1, plain.stdout.toString(), plain.stderr]);
    await t.rejects(access(join(far, 'after')));
    const unreached = await runProgram(
      'viassh',
      ['sftp', '-b', '-', '-oHostName=127.0.0.1', '-oProxyCommand=none', '-P', '1', 't'],
      options,
    );
    t.equal(unreached.code, 255, unreached.stderr);
  },
);

onBothTransports('sftp: -s names the server there, -J leads over two hops', async (t, transport) => {
  await using stack = new AsyncDisposableStack();
  const [, , sshd] = await startThree(stack, []);
  const far = await makeFarFolder(sshd);
  const options = { env: reaching(sshd, transport), input: `mkdir ${far}/made\n` };
  const server = '/usr/lib/openssh/sftp-server';
  const { code, stderr } = await runProgram(
    'viassh',
    ['sftp', '-b', '-', '-J', 'first,second', '-s', server, 'far'],
    options,
  );
  t.equal(code, 0, stderr);
  t.strictSame(await readdir(far), ['made']);
});

onBothTransports('sftp: the recipe, as printed, makes sftp use viassh in a new shell', async (t, transport) => {
  await using sshd = await startSshd({ config });
  const [here, far] = [t.testdir(), await makeFarFolder(sshd)];
  const env = { ...reaching(sshd, transport), HOME: here, SHELL: '/bin/bash' };
  await applyRecipe('sftp', sshd.destination, { env, cwd: here });
  const typed = `echo 'mkdir ${far}/made' | sftp -b - t`;
  const { code, stderr } = await runProgram('bash', ['--rcfile', '.bashrc', '-ic', typed], { env, cwd: here });
  t.equal(code, 0, stderr);
  t.strictSame(await readdir(far), ['made']);
});

onBothTransports(
  'sftp account --read-only: reads from its folder, writes nothing, runs nothing',
  async (t, transport) => {
    await using sshd = await startSshd({ config });
    const [here, far] = [t.testdir({ file: 'new' }), await makeFarFolder(sshd)];
    await writeFile(join(far, 'file'), 'said');
    await giveToUser(sshd, far);
    const env = reaching(await addAccount(sshd, ['sftp', '--directory', far, '--read-only']), transport);
    const sftp = (input: string): ReturnType<typeof runProgram> =>
      runProgram('viassh', ['sftp', '-b', '-', 't'], { env, cwd: here, input: `${input}\n` });
    const read = await sftp('get file back');
    t.equal(read.code, 0, read.stderr);
    t.equal(await readFile(join(here, 'back'), 'utf8'), 'said');
    for (const command of [
      'put file file',
      'put file new',
      'rm file',
      'rename file other',
      'mkdir folder',
      'chmod 777 file',
    ])
      t.equal((await sftp(command)).code, 1, command);
    t.strictSame(await readdir(far), ['file']);
    for (const words of [[], [`touch ${far}/ran`], [`/usr/lib/openssh/sftp-server; touch ${far}/ran`]]) {
      const { code } = await runProgram('viassh-ssh', ['t', ...words], { env, input: `touch ${far}/ran\n` });
      t.equal(code, 1, words.join(' '));
    }
    t.not((await runProgram('viassh-ssh', ['-W', '127.0.0.1:22', 't'], { env })).code, 0);
    t.match(await sshd.log(), /refused local port forward/);
    t.strictSame(await readdir(far), ['file']);
  },
);

onBothTransports(
  'sftp account --chroot: the printed lines leave nothing outside of the folder',
  async (t, transport) => {
    await using sshd = await startSshd({ config: [...config, 'Match all', 'ChrootDirectory none'] });
    // What the lines say of one user is known when the user is: the fixture is told first, and read again.
    const lines = await sshdConfigOf(['sftp', '--chroot', '/usr/share', '--user', sshd.user]);
    t.match(lines.join('\n'), new RegExp(`^Match User ${sshd.user}\nChrootDirectory /usr/share\n`));
    const file = join(sshd.folder, 'sshd_config');
    const before = await readFile(file, 'utf8');
    await writeFile(file, `${before.replace(/Match all\nChrootDirectory none\n/, '')}${lines.join('\n')}\n`);
    const env = reaching(await addAccount(sshd, ['sftp', '--chroot', '/usr/share', '--user', sshd.user]), transport);
    const input = 'ls -1 /\nget /../../etc/passwd\n';
    const { code, stdout, stderr } = await runProgram('viassh', ['sftp', '-b', '-', 't'], {
      env,
      input,
      cwd: t.testdir(),
    });
    t.equal(code, 1, stderr);
    t.match(stderr, /etc\/passwd" not found/);
    const listed = stdout
      .toString()
      .split('\n')
      .map((line) => line.trim().replace(/^\//, ''));
    for (const name of await readdir('/usr/share')) if (!name.startsWith('.')) t.ok(listed.includes(name), name);
  },
  skipWithoutSshd || (process.getuid?.() === 0 ? false : 'only root may chroot'),
);
