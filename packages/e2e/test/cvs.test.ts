import { chmod, chown, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { findProgram, missingForSshd, startSshd } from '@viassh/testing';
import { onBothTransports } from './both-transports.ts';
import { type CvsPerson, startCvsRepository } from './cvs-repository.ts';
import { reaching, runProgram } from './run-program.ts';

const skip =
  (await missingForSshd()) ??
  ((await findProgram('cvs')) === undefined ? 'no cvs on this machine (Debian: apt-get install cvs)' : false);

/** A command that has to succeed; what it printed. */
async function done({ run }: CvsPerson, words: readonly string[], cwd: string): Promise<string> {
  const { code, stdout, stderr } = await run(words, { cwd });
  if (code !== 0) throw new Error(`${words.join(' ')}: ${code}: ${stderr}`);
  return stdout.toString();
}

onBothTransports(
  'cvs: two people on one restricted account import, check out, commit, collide and agree',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const scratch = t.testdir({ start: { 'a file': 'one\ntwo\n' }, ann: {}, ben: {} });
    const { people } = await startCvsRepository(stack, scratch, transport);
    const [ann, ben] = people;
    const inAnn = join(scratch, 'ann/module');
    const inBen = join(scratch, 'ben/module');

    await done(ann, ['cvs', 'init'], scratch);
    await done(ann, ['cvs', 'import', '-m', 'start', 'module', 'vendor', 'release'], join(scratch, 'start'));
    await done(ann, ['cvs', 'checkout', 'module'], join(scratch, 'ann'));
    await done(ben, ['cvs', 'checkout', 'module'], join(scratch, 'ben'));
    await writeFile(join(inAnn, 'a file'), 'one\ntwo of ann\n');
    await done(ann, ['cvs', 'commit', '-m', 'by ann'], inAnn);

    await writeFile(join(inBen, 'a file'), 'one\ntwo of ben\n');
    const early = await ben.run(['cvs', 'commit', '-m', 'by ben'], { cwd: inBen });
    t.equal(early.code, 1);
    t.match(early.stderr, /Up-to-date check failed for `a file'/);
    t.match(await done(ben, ['cvs', 'update'], inBen), /^C a file$/m);
    t.match(await readFile(join(inBen, 'a file'), 'utf8'), /<{7} a file\ntwo of ben\n={7}\ntwo of ann\n>{7} 1\.2\n/);
    await writeFile(join(inBen, 'a file'), 'one\ntwo of both\n');
    await done(ben, ['viassh', 'cvs', 'commit', '-m', 'by both'], inBen);

    await done(ann, ['viassh', 'cvs', '-q', 'update'], inAnn);
    t.equal(await readFile(join(inAnn, 'a file'), 'utf8'), 'one\ntwo of both\n');
    t.match(await done(ann, ['cvs', 'log', 'a file'], inAnn), /by both[^]*by ann[^]*start/);
  },
  skip,
);

onBothTransports(
  'cvs: the key of the account gets no shell, no other command, no other repository, no pty and no forward',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const scratch = t.testdir();
    const { sshd, people } = await startCvsRepository(stack, scratch, transport);
    const [{ run }] = people;

    await run(['viassh-ssh', 't', `touch '${sshd.home}/ran'`]);
    const shell = await run(['viassh-ssh', 't'], { input: `touch '${sshd.home}/ran'\n` });
    t.match(shell.stdout.toString(), /unrecognized request `touch /);
    await run(['viassh-ssh', '-tt', 't']);

    const other = join(sshd.home, 'other');
    await run(['cvs', '-d', `:ext:t:${other}`, 'init']);
    const checkout = await run(['cvs', '-d', `:ext:t:${other}`, 'checkout', '.'], { cwd: scratch });
    t.not(checkout.code, 0);
    t.match(checkout.stderr, /Bad root/);

    const server = createServer((socket) => socket.end('reached')).listen(0, '127.0.0.1');
    stack.defer(() => void server.close());
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const forward = await run(['viassh-ssh', '-W', `127.0.0.1:${port}`, 't']);
    t.not(forward.code, 0);
    t.equal(forward.stdout.toString(), '');

    t.notOk((await readdir(sshd.home)).includes('ran'));
    const log = await sshd.log();
    t.match(log, /req pty-req/);
    t.notMatch(log, /Allocating pty/);
    t.match(log, /refused local port forward/);
  },
  skip,
);

onBothTransports(
  'cvs: in a repository as the note of the account wants it, CVSROOT is closed to who may commit elsewhere',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const scratch = t.testdir({ start: { file: 'one\n' } });
    const { sshd, folder, people } = await startCvsRepository(stack, scratch, transport);
    const [ann] = people;
    await done(ann, ['cvs', 'init'], scratch);
    const control = join(folder, 'CVSROOT');
    for (const name of ['', ...(await readdir(control))]) {
      if (['history', 'val-tags'].includes(name)) continue;
      await chmod(join(control, name), name === '' || name === 'Emptydir' ? 0o755 : 0o444);
      await chown(join(control, name), 0, 0);
    }

    await done(ann, ['cvs', 'import', '-m', 'start', 'module', 'vendor', 'release'], join(scratch, 'start'));
    await done(ann, ['cvs', 'checkout', 'module'], scratch);
    await writeFile(join(scratch, 'module/file'), 'two\n');
    await done(ann, ['cvs', 'commit', '-m', 'two'], join(scratch, 'module'));
    await done(ann, ['cvs', 'tag', 'second'], join(scratch, 'module'));
    await done(ann, ['cvs', 'update', '-r', 'second'], join(scratch, 'module'));

    const loginfo = `ALL touch ${sshd.home}/ran\n`;
    await mkdir(join(scratch, 'evil'));
    await writeFile(join(scratch, 'evil/loginfo'), loginfo);
    const evil = await ann.run(['cvs', 'import', '-m', 'x', 'CVSROOT', 'evil', 'evil1'], {
      cwd: join(scratch, 'evil'),
    });
    t.not(evil.code, 0);
    t.notMatch(await readFile(join(control, 'loginfo'), 'utf8'), loginfo);
    await done(ann, ['cvs', 'update', '-A'], join(scratch, 'module'));
    await writeFile(join(scratch, 'module/file'), 'three\n');
    await done(ann, ['cvs', 'commit', '-m', 'three'], join(scratch, 'module'));
    t.notOk((await readdir(sshd.home)).includes('ran'));
  },
  skip || (process.getuid?.() === 0 ? false : 'giving CVSROOT to root needs root'),
);

onBothTransports(
  'cvs: a port goes through the root of the recipe; :ext: with a port and :extssh: alone are refused with the root to write',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const scratch = t.testdir();
    const { sshd, folder, people } = await startCvsRepository(stack, scratch, transport, {
      mode: 'listen',
      clientConfig: ['Port 1'],
      destination: 't:PORT',
    });
    const [ann] = people;
    await done(ann, ['cvs', 'init'], scratch);
    t.match(await done(ann, ['viassh', 'cvs', 'checkout', 'CVSROOT'], scratch), /^U CVSROOT\/modules$/m);
    for (const method of [':ext', ':extssh']) {
      const root = `${method}:t:${sshd.port}${folder}`;
      const { code, stderr } = await ann.run(['viassh', 'cvs', '-d', root, 'checkout', '.'], { cwd: scratch });
      t.not(code, 0);
      t.match(stderr, `write the root as ':extssh;CVS_RSH=viassh-ssh:t:${sshd.port}${folder}'`);
    }
  },
  skip,
);

onBothTransports(
  'cvs: CVS_SERVER is what an account without a forced command runs',
  async (t, transport) => {
    await using sshd = await startSshd();
    const folder = t.testdir();
    const server = join(sshd.home, 'its-cvs');
    await writeFile(server, `#!/bin/sh\n: >${sshd.home}/asked\nexec cvs "$@"\n`, { mode: 0o755 });
    const { code, stderr } = await runProgram('viassh', ['cvs', '-d', `:ext:t:${sshd.home}/r`, 'init'], {
      cwd: folder,
      env: { ...reaching(sshd, transport), CVS_SERVER: server, HOME: folder },
    });
    t.equal(code, 0, stderr);
    t.same((await readdir(sshd.home)).filter((name) => ['asked', 'r'].includes(name)).toSorted(), ['asked', 'r']);
  },
  skip,
);

onBothTransports(
  'cvs: no host and no user of a root becomes an option or a command',
  async (t, transport) => {
    await using sshd = await startSshd();
    const folder = t.testdir();
    await mkdir(join(folder, 'here'));
    for (const place of [
      '-oProxyCommand=touch x',
      '-oProxyCommand=touch${IFS}x@t',
      '-F@t',
      ';touch x',
      ';touch x@t',
      '$(touch x)@t',
      '`touch x`@t',
      't\ntouch x',
      'u\ntouch x@t',
    ]) {
      const { code } = await runProgram('viassh', ['cvs', '-d', `:ext:${place}:/nowhere`, 'checkout', '.'], {
        cwd: join(folder, 'here'),
        env: { ...reaching(sshd, transport), HOME: folder },
      });
      t.not(code, 0, place);
    }
    t.same(await readdir(join(folder, 'here')), []);
  },
  skip,
);
