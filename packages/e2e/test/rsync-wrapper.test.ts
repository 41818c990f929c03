import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startSshd } from '@viassh/testing';
import { onBothTransports } from './both-transports.ts';
import { giveTo, skipWithoutRsync } from './rsync-programs.ts';
import { reaching, runProgram } from './run-program.ts';

onBothTransports(
  'viassh rsync: its own progress, its own exit codes, and -e wins',
  async (t, transport) => {
    await using sshd = await startSshd();
    const env = reaching(sshd, transport);
    const folder = t.testdir({ from: { file: 'what it says' } });
    const there = `${sshd.destination}:to/`;
    const run = async (...args: readonly string[]): ReturnType<typeof runProgram> =>
      await runProgram('viassh', ['rsync', ...args], { env, cwd: folder });
    const good = await run('-t', '--info=progress2', 'from/file', there);
    t.equal(good.code, 0, good.stderr);
    t.match(good.stdout.toString(), /12 100%/);
    t.equal(await readFile(join(sshd.home, 'to/file'), 'utf8'), 'what it says');
    t.equal((await run(`${sshd.destination}:missing`, '.')).code, 23);
    t.equal((await run('--no-such-option')).code, 1);
    // Which of the two: whether rsync noticed by reading or by writing that nobody is there.
    const missing = await run('--rsync-path=no-such-rsync', 'from/file', there);
    t.ok(missing.code === 127 || missing.code === 12, `${missing.code}: ${missing.stderr}`);
    const refused = await run('from/file', 'nowhere.invalid:x');
    t.ok(refused.code === 255 || refused.code === 12, `${refused.code}: ${refused.stderr}`);
    t.match(refused.stderr, /nowhere\.invalid/, 'our remote shell says why');
    await writeFile(join(folder, 'own'), '#!/bin/sh\ntouch ran\nexit 9\n', { mode: 0o755 });
    const own = await run('-e', './own', 'from/file', there);
    t.not(own.code, 0);
    t.equal(await readFile(join(folder, 'ran'), 'utf8'), '', 'what the user names is started, and not ours');
  },
  skipWithoutRsync,
);

onBothTransports(
  'host::module goes to a daemon that the remote shell starts',
  async (t, transport) => {
    await using sshd = await startSshd({ mode: 'listen' }); // the daemon wants to know the client's address
    const module = join(sshd.home, 'module');
    await mkdir(module);
    await writeFile(join(module, 'file'), 'of a module');
    // A log of its own: the daemon would write to syslog, which is not here.
    const config = `log file = ${join(sshd.home, 'log')}\n[store]\npath = ${module}\nuse chroot = no\nread only = no\n`;
    await writeFile(join(sshd.home, 'rsyncd.conf'), config);
    await giveTo(sshd.home, sshd);
    const env = reaching(sshd, transport);
    const folder = t.testdir({ new: 'from here' });
    for (const place of [`${sshd.destination}::store`, `rsync://${sshd.destination}/store`]) {
      const list = await runProgram('viassh', ['rsync', `${place}/`], { env });
      t.equal(list.code, 0, list.stderr);
      t.match(list.stdout.toString(), /\bfile\n/);
    }
    const push = await runProgram('viassh', ['rsync', '-t', join(folder, 'new'), `${sshd.destination}::store/`], {
      env,
    });
    t.equal(push.code, 0, push.stderr);
    t.equal(await readFile(join(module, 'new'), 'utf8'), 'from here');
  },
  skipWithoutRsync,
);

onBothTransports(
  'a start-up file there that prints is protocol version mismatch, exit 2, as with ssh',
  async (t, transport) => {
    // As a shell that reads a start-up file for each command, on the way of every command.
    await using sshd = await startSshd({
      config: [`ForceCommand echo 'Welcome to this machine'; eval "$SSH_ORIGINAL_COMMAND"`],
    });
    const { destination, configFile } = sshd;
    const folder = t.testdir({ file: 'x' });
    const ours = await runProgram('viassh', ['rsync', join(folder, 'file'), `${destination}:x`], {
      env: reaching(sshd, transport),
    });
    const ssh = await runProgram('rsync', ['-e', `ssh -F ${configFile}`, join(folder, 'file'), `${destination}:x`]);
    t.equal(ssh.code, 2);
    t.equal(ours.code, ssh.code);
    t.match(ours.stderr, /protocol version mismatch/);
  },
  skipWithoutRsync,
);

for (const host of ['-oProxyCommand=touch ran', '$(touch ran)', ';touch ran;', '`touch ran`', 'a\ntouch ran']) {
  onBothTransports(
    `${JSON.stringify(host)} for a host runs nothing`,
    async (t, transport) => {
      await using sshd = await startSshd();
      const folder = t.testdir();
      const { code } = await runProgram('viassh', ['rsync', '--', `${host}:x`, '.'], {
        env: reaching(sshd, transport),
        cwd: folder,
      });
      t.not(code, 0);
      await t.rejects(readFile(join(folder, 'ran')), { code: 'ENOENT' });
      t.notMatch(await sshd.log(), /Accepted publickey/);
    },
    skipWithoutRsync,
  );
}
