import { chmod, cp, mkdir, readdir, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram, makeScratchFolder, startSshd } from '@viassh/testing';
import { createProgramRunner } from '@viassh/program';
import { tidyTest } from './both-transports.ts';
import { cliFile, viassh } from './run-viassh.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const programs = createProgramRunner();

for (const [broken, args] of [
  ['@viassh/plugin-imap', ['imap', 'host']],
  ['@viassh/plugin-imap', ['plugins']],
  ['@viassh/transport-openssh', ['pipe', 'host', '--', 'true']],
  ['@viassh/transport-ssh2', ['pipe', '--transport', 'ssh2', 'host', '--', 'true']],
  ['@viassh/demo', ['demo']],
] as const) {
  tidyTest(
    `a ${broken} that does not load: viassh ${args[0]} says so in a sentence, with a stack trace only under -v`,
    async (t) => {
      const hook = fileURLToPath(new URL('break-import.mjs', import.meta.url));
      const run = (...more: string[]): ReturnType<typeof viassh> =>
        viassh([...more, ...args], { nodeArgs: ['--import', hook], env: { BREAK_IMPORT: broken } });
      const plain = await run();
      t.strictSame({ code: plain.code, stdout: plain.stdout.toString() }, { code: 255, stdout: '' });
      t.match(plain.stderr, /^viassh: .*(cannot be loaded|broken on purpose).* \([A-Z_]+\)\n {2}hint: .*-v shows.*\n$/);
      const verbose = await run('-v');
      t.match(verbose.stderr, /broken on purpose[^]*\n +at /);
    },
    false,
  );
}

tidyTest(
  'compiled code is kept in the cache folder, when it is ours alone and nobody switched that off',
  async (t) => {
    await using folder = await makeScratchFolder();
    const start = async (name: string, env: Record<string, string | undefined> = {}): Promise<readonly string[]> => {
      const { code } = await viassh(['--version'], {
        env: { NODE_COMPILE_CACHE: undefined, XDG_CACHE_HOME: join(folder.path, name), ...env },
      });
      t.equal(code, 0, name);
      return await readdir(join(folder.path, name, 'viassh')).catch(() => []);
    };
    t.equal((await start('ours')).length, 1);
    t.equal((await stat(join(folder.path, 'ours/viassh'))).mode & 0o777, 0o700);
    t.strictSame(await start('off', { NODE_DISABLE_COMPILE_CACHE: '1' }), []);
    await mkdir(join(folder.path, 'open/viassh'), { recursive: true });
    await chmod(join(folder.path, 'open/viassh'), 0o777);
    t.strictSame(await start('open'), []);
    await writeFile(join(folder.path, 'no-folder'), '');
    t.strictSame(await start('no-folder'), []);
  },
  false,
);

tidyTest('a plugin that does not load is no obstacle for other commands', async (t) => {
  await using sshd = await startSshd();
  const hook = fileURLToPath(new URL('break-import.mjs', import.meta.url));
  const broken = { nodeArgs: ['--import', hook], env: { BREAK_IMPORT: '@viassh/plugin-imap' } };
  const { code, stderr } = await viassh(['pipe', '-F', sshd.configFile, 't', '--', 'exit 3'], broken);
  t.strictSame({ code, stderr }, { code: 3, stderr: '' });
  t.equal((await viassh(['--help'], broken)).code, 0);
});

/** A folder that looks like a clone which was set up: the launcher and its tool chain, the rest linked. */
async function makeClone(folder: string): Promise<string> {
  const clone = join(folder, 'a clone');
  await mkdir(join(clone, 'scripts'), { recursive: true });
  await mkdir(join(clone, '.toolchain'));
  await cp(join(root, 'viassh'), join(clone, 'viassh'));
  await cp(join(root, 'scripts/toolchain.sh'), join(clone, 'scripts/toolchain.sh'));
  await writeFile(join(clone, 'scripts/bootstrap.sh'), 'echo setting up >&2\n');
  for (const name of ['.toolchain/node_modules', 'node_modules', 'packages', 'package.json']) {
    await symlink(join(root, name), join(clone, name));
  }
  await writeFile(join(clone, '.toolchain/stamp'), '');
  await utimes(join(clone, '.toolchain/stamp'), new Date(), new Date(Date.now() + 60_000)); // others may be building
  return clone;
}

tidyTest('./viassh runs from any folder, through a link, with the words and the exit code kept', async (t) => {
  await using sshd = await startSshd();
  await using folder = await makeScratchFolder();
  const clone = await makeClone(folder.path);
  const elsewhere = join(folder.path, 'elsewhere');
  await mkdir(elsewhere);
  await symlink(join(clone, 'viassh'), join(elsewhere, 'my-viassh'));
  await cp(sshd.configFile, join(elsewhere, 'config'));
  for (const file of ['../a clone/viassh', './my-viassh']) {
    const { exit, stdout, stderr } = await programs.run({
      file: '/bin/sh',
      args: ['-c', `cd "$1" && exec "$2" pipe -F config t -- "echo 'two  blanks'; exit 3"`, 'sh', elsewhere, file],
      env: { NODE_OPTIONS: '' },
    });
    t.strictSame(
      { exit, stdout, stderr },
      { exit: { kind: 'status', code: 3 }, stdout: 'two  blanks\n', stderr: '' },
      file,
    );
  }
});

tidyTest(
  './viassh sets itself up the first time, and only then',
  async (t) => {
    await using folder = await makeScratchFolder();
    const clone = await makeClone(folder.path);
    const run = (): Promise<{ stderr: string; stdout: string }> =>
      programs.run({ file: join(clone, 'viassh'), args: ['--version'], env: { NODE_OPTIONS: '' } });
    t.equal((await run()).stderr, '');
    await utimes(join(clone, '.toolchain/stamp'), 0, 0);
    const again = await run();
    t.equal(again.stderr, 'setting up\n');
    t.match(again.stdout, /^\d+\.\d+\.\d+\n$/);
  },
  false,
);

const bash = await findProgram('bash');
tidyTest(
  'the completion script completes commands and options in bash',
  async (t) => {
    await using folder = await makeScratchFolder();
    await writeFile(join(folder.path, 'viassh'), `#!/bin/sh\nexec '${process.execPath}' '${cliFile}' "$@"\n`, {
      mode: 0o755,
    });
    const script = `
      PATH=$1:$PATH
      eval "$(viassh completion)"
      complete -p viassh >/dev/null || exit 1
      function_name=$(complete -p viassh | sed 's/.*-F \\([^ ]*\\).*/\\1/')
      try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); "$function_name"; echo "\${COMPREPLY[*]}"; }
      try viassh pi
      try viassh res
      try viassh pipe --trans
      try viassh forward -L 0:db:5432 --until
    `;
    const { exit, stdout, stderr } = await programs.run({
      file: 'bash',
      args: ['--norc', '-c', script, 'bash', folder.path],
      env: { NODE_OPTIONS: '' },
    });
    t.strictSame({ exit, stderr }, { exit: { kind: 'status', code: 0 }, stderr: '' });
    t.strictSame(stdout.trim().split('\n'), ['pipe', 'resolve', '--transport', '--until-idle']);
  },
  bash === undefined ? 'no bash on this machine' : false,
);
