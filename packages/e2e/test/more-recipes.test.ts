import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import { findProgram, type Sshd, startSshd } from '@viassh/testing';
import { onBothTransports, skipWithoutSshd } from './both-transports.ts';
import { reaching, runProgram } from './run-program.ts';
import type { Outcome } from './run-viassh.ts';

/** A home folder in which the printed recipe was executed, byte for byte. */
interface Home {
  readonly folder: string;
  /** On the far end, the user's own; a fresh folder. */
  readonly far: string;
  /** Runs a script as after a new login. */
  sh(script: string): Promise<Outcome>;
}

function recipeTest(program: string, command: string, body: (t: Test, home: Home, sshd: Sshd) => Promise<void>): void {
  onBothTransports(
    `viassh recipe ${program}`,
    async (t, transport) => {
      await using sshd = await startSshd({ config: ['Subsystem sftp internal-sftp'] });
      const folder = t.testdir();
      const env = { ...reaching(sshd, transport), HOME: folder, USER: 'me', LC_ALL: 'C.UTF-8' };
      const printed = await runProgram('viassh', ['recipe', program, sshd.destination], { env });
      t.equal(printed.code, 0, printed.stderr);
      const done = await runProgram('sh', [], { env, cwd: folder, input: printed.stdout });
      t.strictSame(
        { code: done.code, stdout: done.stdout.toString(), stderr: done.stderr },
        { code: 0, stdout: '', stderr: '' },
      );
      const login = 'set -e; if [ -e ~/.profile ]; then . ~/.profile; fi; PATH=~/.local/bin:$PATH';
      const sh = (script: string): Promise<Outcome> =>
        runProgram('sh', ['-c', `${login}\n${script}`], { env, cwd: folder });
      const far = `${sshd.folder}/far`;
      const made = await sh(`viassh pipe -F ${sshd.configFile} ${sshd.destination} -- 'mkdir -p far; cd far; pwd'`);
      t.equal(made.code, 0, made.stderr);
      await body(t, { folder, far: made.stdout.toString().trim() || far, sh }, sshd);
      await sh(`viassh pipe -F ${sshd.configFile} ${sshd.destination} -- 'rm -rf far'`);
    },
    skipWithoutSshd === false ? missing(command) : skipWithoutSshd,
  );
}

const commands = ['svn', 'hg', 'unison', 'borg', 'restic', 'ansible', 'sshfs'];
const canMount = await open('/dev/fuse', 'r+').then(
  (file) => file.close().then(() => true),
  () => false,
);
const found = new Map(await Promise.all(commands.map(async (name) => [name, await findProgram(name)] as const)));

async function succeeds(t: Test, outcome: Promise<Outcome>): Promise<string> {
  const { code, stdout, stderr } = await outcome;
  t.equal(code, 0, stderr);
  return stdout.toString();
}

/** For tap: the reason why this cannot be tested here, or false. */
function missing(command: string): string | false {
  if (found.get(command) === undefined) return `${command} is not installed`;
  return command === 'sshfs' && !canMount ? '/dev/fuse cannot be opened' : false;
}

/** Runs a command on the far end without anything of the recipe. */
function there(sshd: Sshd, command: string): Promise<Outcome> {
  return runProgram('viassh', ['pipe', '-F', sshd.configFile, sshd.destination, '--', command]);
}

recipeTest('svn', 'svn', async (t, home, sshd) => {
  await succeeds(t, there(sshd, 'svnadmin create far/repo'));
  await succeeds(t, home.sh(`svn checkout -q svn+ssh://${sshd.destination}${home.far}/repo work`));
  await writeFile(join(home.folder, 'work/file'), 'what it says\n');
  await succeeds(t, home.sh('cd work; svn add -q file; svn commit -q -m first'));
  t.equal(await succeeds(t, home.sh(`svn cat svn+ssh://${sshd.destination}${home.far}/repo/file`)), 'what it says\n');
});

recipeTest('hg', 'hg', async (t, home, sshd) => {
  await succeeds(t, there(sshd, 'hg init far/repo'));
  await succeeds(t, home.sh(`hg clone -q ssh://${sshd.destination}/${home.far}/repo work`));
  await writeFile(join(home.folder, 'work/file'), 'what it says\n');
  await succeeds(t, home.sh('cd work; hg add -q file; hg commit -q -u me -m first; hg push -q'));
  t.equal(await succeeds(t, there(sshd, 'hg cat -R far/repo -r tip far/repo/file')), 'what it says\n');
});

recipeTest('unison', 'unison', async (t, home, sshd) => {
  await mkdir(join(home.folder, 'here'));
  await writeFile(join(home.folder, 'here/from here'), 'what it says\n');
  await succeeds(t, there(sshd, 'mkdir far/folder; echo too >far/folder/from-there'));
  const sync = `unison viassh "$HOME/here" ssh://${sshd.destination}/${home.far}/folder -batch -auto -terse -ui text`;
  await succeeds(t, home.sh(sync));
  t.equal(await succeeds(t, there(sshd, "cat 'far/folder/from here'; rm -rf .unison")), 'what it says\n');
  t.equal(await readFile(join(home.folder, 'here/from-there'), 'utf8'), 'too\n');
});

recipeTest('borg', 'borg', async (t, home, sshd) => {
  await writeFile(join(home.folder, 'file'), 'what it says\n');
  const repo = `ssh://${sshd.destination}/./far/backup`;
  await succeeds(t, home.sh(`borg init --encryption none ${repo}`));
  await succeeds(t, home.sh(`borg create ${repo}::first file`));
  t.equal(await succeeds(t, home.sh(`borg extract --stdout ${repo}::first file`)), 'what it says\n');
  t.match(await succeeds(t, there(sshd, 'ls far/backup; rm -rf .cache/borg .config/borg')), /^config$/m);
});

recipeTest('restic', 'restic', async (t, home, sshd) => {
  await writeFile(join(home.folder, 'file'), 'what it says\n');
  const restic = `RESTIC_PASSWORD=x restic-viassh -q -r sftp:${sshd.destination}:far/backup`;
  await succeeds(t, home.sh(`${restic} init`));
  await succeeds(t, home.sh(`${restic} backup file`));
  t.equal(
    await succeeds(t, home.sh(`${restic} dump latest /file || ${restic} dump latest "$HOME/file"`)),
    'what it says\n',
  );
  t.match(await succeeds(t, there(sshd, 'ls far/backup')), /^config$/m);
});

recipeTest('ansible', 'ansible', async (t, home, sshd) => {
  await writeFile(join(home.folder, 'file'), 'what it says\n');
  const ansible = `ansible all -i ${sshd.destination}, -e ansible_python_interpreter=/usr/bin/python3`;
  t.match(await succeeds(t, home.sh(`${ansible} -m ping`)), /"ping": "pong"/);
  await succeeds(t, home.sh(`${ansible} -m copy -a 'src=file dest=${home.far}/file'`));
  t.equal(await succeeds(t, there(sshd, 'cat far/file; rm -rf .ansible')), 'what it says\n');
});

recipeTest('sshfs', 'sshfs', async (t, home, sshd) => {
  await succeeds(t, there(sshd, 'echo what it says >far/file'));
  await mkdir(join(home.folder, 'mountpoint'));
  await succeeds(t, home.sh(`sshfs-viassh ${sshd.destination}:far mountpoint`));
  try {
    t.equal(await readFile(join(home.folder, 'mountpoint/file'), 'utf8'), 'what it says\n');
    await writeFile(join(home.folder, 'mountpoint/from here'), 'too\n');
  } finally {
    await succeeds(t, home.sh('fusermount3 -u mountpoint'));
  }
  t.equal(await succeeds(t, there(sshd, "cat 'far/from here'")), 'too\n');
});
