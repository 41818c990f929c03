import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import { findProgram, type Sshd } from '@viassh/testing';
import { skipWithoutSshd } from './both-transports.ts';
import { giveToUser, makeFarFolder } from './far-folder.ts';
import { type ProgramRunOptions, reaching, runProgram } from './run-program.ts';
import type { Outcome } from './run-viassh.ts';

/** For tap: the reason why no git is met here, or false. */
export const skipWithoutGit: string | false =
  skipWithoutSshd ||
  ((await findProgram('git-shell')) === undefined ? 'no git on this machine (Debian: apt-get install git)' : false);

/** A person with git, and a folder on the far end for repositories. */
export interface GitBench {
  /** Scratch: HOME and the current folder of every run. */
  readonly home: string;
  /** Absolute; belongs to the user of the fixture. */
  readonly far: string;
  readonly env: Readonly<Record<string, string>>;
  /** Runs `viassh git ARGS…`. */
  git(args: readonly string[], options?: ProgramRunOptions): Promise<Outcome>;
  /** Runs git without viassh. */
  plain(args: readonly string[], options?: ProgramRunOptions): Promise<Outcome>;
  /** As `git`, and it has to succeed; gives stdout. */
  works(t: Test, args: readonly string[], options?: ProgramRunOptions): Promise<string>;
  /** A bare repository in `far` with one commit, of the file `said`, on main. */
  makeRepository(name: string, said?: string | Uint8Array): Promise<string>;
}

/** Makes a {@link GitBench} in a test's own folder. */
export async function makeGitBench(t: Test, sshd: Sshd, transport: string): Promise<GitBench> {
  const home = t.testdir();
  const far = await makeFarFolder(sshd, 'repositories');
  await writeFile(
    join(home, '.gitconfig'),
    '[user]\n name = A Tester\n email = a@tester.invalid\n[init]\n defaultBranch = main\n',
  );
  const env = { ...reaching(sshd, transport), HOME: home, GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0' };
  const run = (
    file: string,
    args: readonly string[],
    { env: more, ...options }: ProgramRunOptions = {},
  ): Promise<Outcome> => runProgram(file, args, { cwd: home, ...options, env: { ...env, ...more } });
  const plain: GitBench['plain'] = (args, options) => run('git', args, options);
  const git: GitBench['git'] = (args, options) => run('viassh', ['git', ...args], options);
  return {
    home,
    far,
    env,
    git,
    plain,
    async works(t, args, options) {
      const { code, stdout, stderr } = await git(args, options);
      t.equal(code, 0, `git ${args.join(' ')}: ${stderr}`);
      return stdout.toString();
    },
    async makeRepository(name, said = 'first\n') {
      const folder = join(far, name);
      const seed = join(home, 'seed');
      for (const args of [
        ['init', '-q', '--bare', folder],
        ['init', '-q', seed],
      ])
        await succeed(plain(args));
      await writeFile(join(seed, 'said'), said);
      for (const args of [
        ['add', '.'],
        ['commit', '-q', '-m', 'first'],
        ['push', '-q', folder, 'HEAD:refs/heads/main'],
      ])
        await succeed(plain(args, { cwd: seed }));
      await giveToUser(sshd, far);
      await rm(seed, { recursive: true });
      return folder;
    },
  };
}

async function succeed(running: Promise<Outcome>): Promise<void> {
  const { code, stderr } = await running;
  if (code !== 0) throw new Error(`git failed: ${stderr}`);
}
