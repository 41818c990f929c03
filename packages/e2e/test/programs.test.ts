import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import type { Test } from 'tap';
import { startSshd, waitUntil } from '@viassh/testing';
import { onBothTransports, tidyTest } from './both-transports.ts';
import { runProgram } from './run-program.ts';
import { cliFile, surroundings, viassh } from './run-viassh.ts';

/** A PATH in which a program is a script for sh: what it is given can be seen there. */
async function withProgram(t: Test, program: string, script: string): Promise<Record<string, string>> {
  const folder = t.testdir();
  await writeFile(join(folder, program), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return { PATH: [folder, process.env['PATH']].join(delimiter) };
}

const withGit = (t: Test, script: string): Promise<Record<string, string>> => withProgram(t, 'git', script);

tidyTest(
  'the program’s own help, output and exit code come through',
  async (t) => {
    const help = await viassh(['rsync', '--help']);
    t.equal(help.code, 0);
    t.match(help.stdout.toString(), /^rsync +version/m);
    const wrong = await viassh(['git', 'no-such-command']);
    t.match(wrong.stderr, /^git: 'no-such-command'/);
    t.equal(wrong.code, 1);
    t.equal((await viassh(['git', '--version', '--json'])).code, 129, 'a mistake in git’s own options is git’s');
  },
  false,
);

tidyTest(
  'arguments are untouched, descriptors are our own, and a full pipe that breaks ends the program',
  async (t) => {
    const args = ['-c', 'a b', '', "it's", '$HOME', '*', '--', '-h', 'ü', 'a\nb'];
    const env = await withGit(t, `cat; printf '<%s>' "$@"; echo said >&2; exit 7`);
    const run = await viassh(['git', ...args], { env, input: 'from stdin;' });
    t.strictSame(
      { code: run.code, stdout: run.stdout.toString(), stderr: run.stderr },
      { code: 7, stdout: `from stdin;${args.map((word) => `<${word}>`).join('')}`, stderr: 'said\n' },
    );
    for (const program of ['rsync', 'cvs', 'uucp', 'git', 'scp', 'sftp']) {
      const broken = await viassh([program], {
        env: await withProgram(t, program, 'exec yes'),
        shell: '{ "$@"; echo "$?" >&2; } | head -n 1',
      });
      t.strictSame(
        { stdout: broken.stdout.toString(), stderr: broken.stderr },
        { stdout: 'y\n', stderr: '141\n' },
        program,
      );
    }
  },
  false,
);

onBothTransports('the global options before a program are those of its connections', async (t, transport) => {
  await using sshd = await startSshd();
  const folder = t.testdir();
  const git = (...args: string[]): ReturnType<typeof runProgram> =>
    runProgram('viassh', ['-F', sshd.configFile, '--transport', transport, 'git', ...args], { cwd: folder });
  const made = await git('init', '-q', '--bare', `${folder}/bare`);
  t.equal(made.code, 0, made.stderr);
  const remote = `${sshd.destination}:${sshd.folder}/none`;
  const missing = await git('ls-remote', remote);
  t.match(missing.stderr, /none' does not appear to be a git repository/, 'it was asked on the far end');
  t.equal(missing.code, 128);
  const refused = await runProgram('viassh', ['-F', sshd.configFile, '-p', '0', 'git', 'ls-remote', remote]);
  t.match(refused.stderr, /^viassh: -p wants a port.*\n {2}hint: /);
  t.equal(refused.code, 64);
});

tidyTest(
  'global options go to the remote shell by its variables; the typed ones first',
  async (t) => {
    const env = {
      ...(await withGit(t, 'printf "%s|" "$VIASSH_SSH_OPTIONS" "$VIASSH_TRANSPORT" "$VIASSH_PROXY"')),
      VIASSH_SSH_OPTIONS: '["-p","1"]',
      VIASSH_PROXY: 'socks5://user:secret@proxy',
    };
    const said = async (...own: string[]): Promise<string> =>
      (await viassh([...own, 'git'], { env })).stdout.toString();
    t.equal(await said(), '["-p","1"]||socks5://user:secret@proxy|');
    t.equal(
      await said('-Flocal', '-p2', '--transport=ssh2', '--proxy', 'none'),
      '["-F","local","-p","2","-p","1"]|ssh2|none|',
    );
  },
  false,
);

tidyTest(
  'what makes no sense is refused with a hint, and no password is shown',
  async (t) => {
    for (const [args, code, said] of [
      [['--json', 'git', 'status'], 64, /--json makes no sense before git.*\n {2}hint: /],
      [['-n', 'rsync'], 64, /-n makes no sense before rsync.*\n {2}hint: .*<\/dev\/null/],
      [['--no-such', 'git'], 64, /no-such.*\n {2}hint: /],
      [['--json', 'rsh', 'host'], 255, /--json makes no sense before rsh/],
      [['-s', 'git'], 64, /subsystem/],
      [['--proxy', 'socks5://user:secret@proxy', 'git'], 64, /a password in --proxy.*\n {2}hint: .*VIASSH_PROXY/],
    ] as const) {
      const run = await viassh(args);
      t.match(run.stderr, said, args.join(' '));
      t.equal(run.code, code, args.join(' '));
      t.notMatch(run.stderr, /secret/);
      t.equal(run.stdout.length, 0);
    }
    const env = { VIASSH_SSH_OPTIONS: '-p 22' };
    t.match((await viassh(['-p1', 'git'], { env })).stderr, /VIASSH_SSH_OPTIONS is not a JSON array.*\n {2}hint: /);
  },
  false,
);

tidyTest(
  'a program that is not installed: said so, with a hint',
  async (t) => {
    const empty = t.testdir({ git: 'not executable', cvs: {} });
    await mkdir(join(empty, 'uucp'));
    for (const name of ['git', 'cvs', 'uucp', 'rsync', 'scp', 'sftp']) {
      const { code, stderr } = await viassh([name], { env: { PATH: empty } });
      t.match(stderr, new RegExp(`^viassh: the program ${name} is not installed \\(PROGRAM_NOT_FOUND\\)\n  hint: `));
      t.equal(code, 255);
    }
  },
  false,
);

tidyTest(
  'a program whose interpreter is missing: said so, and no crash of ours',
  async (t) => {
    for (const name of ['git', 'cvs', 'uucp'] as const) {
      const env = { PATH: t.testdir() };
      await writeFile(join(env.PATH, name), '#!/no/such/interpreter\n', { mode: 0o755 });
      const { code, stderr } = await viassh([name], { env });
      t.match(stderr, new RegExp(`^viassh: the program ${name} could not be started \\(ENOENT\\) .*\n  hint: `));
      t.equal(code, 255);
    }
  },
  false,
);

/** What completion offers for the last of these words. */
const completed = async (...words: string[]): Promise<readonly string[]> =>
  (await viassh(['--get-yargs-completions', 'viassh', ...words])).stdout.toString().trim().split('\n');

/** How a signal comes: to viassh alone, or from a terminal to all that is in its foreground. */
const ways = [
  ['SIGINT', 'kill'],
  ['SIGTERM', 'kill'],
  ['SIGHUP', 'kill'],
  ['SIGINT', 'terminal'],
] as const;

for (const [signal, way] of ways) {
  for (const program of ['git', 'rsync'] as const) {
    tidyTest(
      `${signal} by ${way} reaches what viassh ${program} runs once, and its end is ours`,
      async (t) => {
        const name = signal.slice(3);
        const traps = `trap 'echo ${name}' ${name}; exec <fifo; echo runs; while :; do read line && exit 5; done`;
        const env = { ...surroundings, ...(await withProgram(t, program, traps)) };
        const cwd = t.testdirName;
        await once(spawn('mkfifo', [join(cwd, 'fifo')]), 'exit');
        const shell = way === 'kill' ? 'exec "$0" "$@"' : `exec script -qfec "exec '$0' '$1' '$2'" /dev/null`;
        const child = spawn('sh', ['-c', shell, process.execPath, cliFile, program], {
          env,
          cwd,
          stdio: ['pipe', 'pipe', 'inherit'],
          detached: true,
        });
        const closed = once(child, 'close') as Promise<[number]>;
        const writer = await open(join(cwd, 'fifo'), 'w');
        let said = '';
        child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
        try {
          await waitUntil('the program to run', () => /^runs\r?\n/.test(said));
          if (way === 'kill') child.kill(signal);
          else child.stdin.write('\u0003');
          await waitUntil('the signal', () => said.includes(name));
          await writer.write('end\n');
          const [code] = await closed;
          t.equal(code, 5);
          t.equal(said.split(name).length - 1, 1, said);
        } finally {
          await writer.close();
          child.stdin.destroy();
        }
      },
      false,
    );
  }
}

onBothTransports('a failure that the program’s own words do not explain is looked into', async (t, transport) => {
  await using sshd = await startSshd({
    authorizedKeysOptions: String.raw`command="echo hello from the start; exec sh -c \"$SSH_ORIGINAL_COMMAND\""`,
  });
  const own = ['-F', sshd.configFile, '--transport', transport];
  const run = (...more: string[]): ReturnType<typeof runProgram> =>
    runProgram('viassh', [...own, ...more, 'rsync', '-a', `${t.testdir({ file: '' })}/`, `${sshd.destination}:to/`]);
  const { code, stderr } = await run();
  t.match(stderr, /\nviassh: hint: t prints 'hello from the start/);
  t.ok(code === 2 || code === 12, `${code}`);
  t.notMatch((await run('-q')).stderr, /viassh: hint/, 'with -q nobody wants to hear it');
  const nowhere = await runProgram('viassh', ['rsync', '-a', t.testdirName, 'no-such-host.invalid:to/']);
  t.notMatch(nowhere.stderr, /viassh: hint/, 'silent where nothing can be found out');
});

tidyTest(
  'a program that a signal ends: 128+n',
  async (t) => {
    const run = await viassh(['git'], { env: await withGit(t, 'kill -TERM $$'), shell: '"$@"; exit "$?"' });
    t.equal(run.code, 143);
  },
  false,
);

tidyTest(
  'help, completion, suggestions and the list of plugins know the programs',
  async (t) => {
    const names = ['rsync', 'cvs', 'uucp', 'git', 'scp', 'sftp'];
    const help = (await viassh(['--help'])).stdout.toString();
    t.match(help, `viassh [options] ${names.join('|')} ...`);
    t.match(help, 'viassh [options] rsh [ssh options] HOST');
    t.match((await viassh(['--help', 'git'])).stdout.toString(), /viassh \[options\] git/);
    t.match((await viassh(['rsnyc', 'a', 'b'])).stderr, /Did you mean rsync\?/);
    const all = await completed('');
    for (const name of ['rsh', 'pipe', 'recipe', ...names]) t.ok(all.includes(name), name);
    t.strictSame(await completed('git', '-'), [''], 'not ours to complete');

    const list = (await viassh(['plugins'])).stdout.toString();
    for (const name of names) t.match(list, new RegExp(`^${name} +.* \\(.*is there\\)$`, 'm'));
    const { programs } = JSON.parse((await viassh(['plugins', '--json'])).stdout.toString()) as {
      programs: readonly { name: string; installed: boolean; version?: string }[];
    };
    t.strictSame(
      programs.map(({ name, installed }) => [name, installed]),
      names.map((name) => [name, true]),
    );
    t.match(programs.find(({ name }) => name === 'git')?.version, /^\d+\.\d+/);
    const usual = await viassh(['plugins'], { env: { VIASSH_SSH_OPTIONS: '["-p","2222"]' } });
    t.strictSame({ code: usual.code, stderr: usual.stderr }, { code: 0, stderr: '' }, 'with usual options');
    const without = (await viassh(['plugins'], { env: { PATH: t.testdir() } })).stdout.toString();
    t.match(without, /^git +.*\(git is not installed\)$/m);
  },
  false,
);
