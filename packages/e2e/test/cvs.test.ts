import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { once } from 'node:events';
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

    const said = async (words: readonly string[], input = ''): Promise<string> => {
      const { code, stdout, stderr } = await run(words, { input, cwd: scratch });
      t.not(code, 0, words.join(' '));
      return stdout.toString() + stderr;
    };
    t.notMatch(await said(['viassh-ssh', 't', 'echo $((6*7))']), /42/);
    t.match(await said(['viassh-ssh', 't'], 'echo $((6*7))\n'), /unrecognized request `echo \$\(\(6\*7\)\)'/);
    t.match(await said(['viassh-ssh', '-tt', 't']), /PTY|pty|terminal/);

    const other = join(sshd.home, 'other');
    await run(['cvs', '-d', `:ext:t:${other}`, 'init']);
    t.match(await said(['cvs', '-d', `:ext:t:${other}`, 'checkout', '.']), /Bad root/);

    const server = createServer((socket) => socket.end('reached')).listen(0, '127.0.0.1');
    stack.defer(() => void server.close());
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    t.notMatch(await said(['viassh-ssh', '-W', `127.0.0.1:${port}`, 't']), /reached/);
  },
  skip,
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
    t.same((await readdir(sshd.home)).filter((name) => ['asked', 'r'].includes(name)).sort(), ['asked', 'r']);
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
