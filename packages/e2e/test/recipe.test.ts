import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import process from 'node:process';
import { makeScratchFolder } from '@viassh/testing';
import { tidyTest } from './both-transports.ts';
import { runProgram } from './run-program.ts';
import { cliFile, viassh } from './run-viassh.ts';

tidyTest(
  'the list of recipes, as a table and as data',
  async (t) => {
    const { code, stdout } = await viassh(['recipe']);
    t.equal(code, 0);
    const { recipes } = JSON.parse((await viassh(['recipe', '--json'])).stdout.toString()) as {
      recipes: readonly { program: string; summary: string }[];
    };
    const programs = recipes.map(({ program }) => program);
    for (const name of ['svn', 'hg', 'unison', 'borg', 'restic', 'ansible', 'sshfs'])
      t.ok(programs.includes(name), name);
    t.equal(new Set(programs).size, programs.length, 'each once');
    const lines = stdout.toString().trimEnd().split('\n');
    t.strictSame(
      lines.map((line) => line.split(/ +/, 1)[0]),
      programs,
    );
    for (const { program } of recipes) {
      const words = ['recipe', program, ...(program === 'launchd' ? [] : ['user@host'])];
      const text = await viassh(words);
      t.equal(text.code, 0, text.stderr);
      const json = await viassh(['--json', ...words]);
      t.strictSame(JSON.parse(json.stdout.toString()), { program, script: text.stdout.toString() });
      const syntax = await runProgram('sh', ['-n'], { input: text.stdout });
      t.strictSame({ code: syntax.code, stderr: syntax.stderr }, { code: 0, stderr: '' }, program);
    }
  },
  false,
);

tidyTest(
  'a destination that could become a command or an option is in no script',
  async (t) => {
    for (const destination of [
      '-oProxyCommand=touch x',
      ';touch x',
      '$(touch x)',
      '`touch x`',
      'host\ntouch x',
      'a b',
      "it's",
      'user@-h',
      'host:0',
      '',
    ]) {
      const { code, stdout, stderr } = await viassh(['recipe', 'hg', '--', destination]);
      t.equal(code, 64, destination);
      t.equal(stdout.length, 0, destination);
      t.match(stderr, /DESTINATION_INVALID[^]*\n {2}hint: /);
    }
    for (const destination of [';touch x', '$(touch x)', '`touch x`', 'host\ntouch x', 'a b']) {
      const { code, stdout, stderr } = await viassh(['recipe', 'hg', destination]);
      t.equal(code, 64, destination);
      t.equal(stdout.length, 0, destination);
      t.match(stderr, /DESTINATION_INVALID[^]*\n {2}hint: /);
    }
    const quoted = (await viassh(['recipe', 'hg', 'ssh://a%20b@host:22'])).stdout.toString();
    t.match(quoted, `hg clone ssh://'a b@host:22'//`);
  },
  false,
);

tidyTest(
  'a recipe run twice leaves what was in a file, and a last line without its end, as it was',
  async (t) => {
    const files = ['.profile', '.bashrc', '.hgrc', '.subversion/config', '.unison/viassh.prf'];
    const HOME = t.testdir(
      Object.fromEntries([
        ...files.filter((file) => !file.includes('/')).map((file) => [file, '# mine']),
        ['.subversion', { config: '# mine' }],
        ['.unison', { 'viassh.prf': '# mine' }],
      ]),
    );
    for (const program of ['rsync', 'scp', 'sftp', 'svn', 'hg', 'unison', 'borg', 'ansible']) {
      const input = (await viassh(['recipe', program, 'host:2222'])).stdout;
      for (const _ of [1, 2]) {
        const { code, stderr } = await runProgram('sh', ['-eu'], { input, env: { HOME, SHELL: '/bin/bash' } });
        t.strictSame({ code, stderr }, { code: 0, stderr: '' }, program);
      }
    }
    const texts = await Promise.all(files.map((file) => readFile(join(HOME, file), 'utf8')));
    for (const [index, text] of texts.entries()) t.match(text, /^# mine\n[^]+\n$/, `${index}`);
    const [profile = '', bashrc = ''] = texts;
    t.equal(profile.match(/^export RSYNC_RSH='.*viassh-ssh -p 2222'$/gm)?.length, 1);
    for (const program of ['scp', 'sftp'])
      t.equal(bashrc.match(new RegExp(`^${program}\\(\\) .* -S .*viassh-ssh "\\$@"; }$`, 'gm'))?.length, 1, program);
  },
  false,
);

const rsyncRecipe = async (destination: string): Promise<string> =>
  (await viassh(['recipe', 'rsync', destination])).stdout.toString();

tidyTest(
  'the recipe of rsync takes an address and its port apart',
  async (t) => {
    t.match(await rsyncRecipe('[::1]'), /^export RSYNC_RSH=\S*viassh-ssh$[^]* folder\/ \[::1\]:folder\//m);
    t.match(
      await rsyncRecipe('me@[::1]:22'),
      /^export RSYNC_RSH='\S*viassh-ssh -p 22'$[^]* folder\/ me@\[::1\]:folder\//m,
    );
  },
  false,
);

tidyTest(
  'mistakes say what there is',
  async (t) => {
    const unknown = await viassh(['recipe', 'telnet', 'host']);
    t.match(unknown.stderr, /no recipe for 'telnet' \(USAGE\)\n {2}hint: .*svn, hg/);
    t.equal(unknown.code, 64);
    const missing = await viassh(['recipe', 'hg']);
    t.match(missing.stderr, /destination is missing \(USAGE\)\n {2}hint: viassh recipe hg /);
    t.equal(missing.code, 64);
  },
  false,
);

tidyTest(
  'the remote shell is named as what works everywhere: its name, or its path where PATH has another or none',
  async (t) => {
    await using scratch = await makeScratchFolder();
    const cliFolder = dirname(dirname(cliFile));
    const shellOf = async (file: string, path: string): Promise<string> => {
      const { code, stdout, stderr } = await viassh(['recipe', 'hg', 'host'], { file, env: { PATH: path } });
      t.equal(code, 0, stderr);
      return /^ssh = (.*)$/m.exec(stdout.toString())?.[1] ?? '';
    };
    const usual = process.env['PATH'] ?? '';

    t.equal(await shellOf(cliFile, usual), join(cliFolder, '../../viassh-ssh'), 'a clone: its launcher');

    // An installation is a folder below node_modules, and links to two of its files in a folder of PATH.
    const installed = join(scratch.path, "it's here/node_modules/viassh");
    await mkdir(installed, { recursive: true });
    for (const name of ['bundle', 'package.json'])
      await cp(join(cliFolder, name), join(installed, name), { recursive: true });
    const main = join(installed, 'bundle/main.js');
    const quotedPath = `'${join(installed, 'bundle/viassh-ssh.js').replace("'", `'\\''`)}'`;
    t.equal(await shellOf(main, usual), quotedPath, 'PATH has none');

    const own = join(scratch.path, 'own');
    await mkdir(own);
    await symlink(join(installed, 'bundle/viassh-ssh.js'), join(own, 'viassh-ssh'));
    t.equal(await shellOf(main, [own, usual].join(delimiter)), 'viassh-ssh', 'PATH has this one');

    const other = join(scratch.path, 'other');
    await mkdir(other);
    await writeFile(join(other, 'viassh-ssh'), '#!/bin/sh\n', { mode: 0o755 });
    t.equal(await shellOf(main, [other, own, usual].join(delimiter)), quotedPath, 'PATH has another one first');
  },
  false,
);
