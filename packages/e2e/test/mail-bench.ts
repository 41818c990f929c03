import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createMailbox,
  findProgram,
  type Mailbox,
  makeScratchFolder,
  missingForDovecot,
  missingForSshd,
  type Sshd,
  type SshdOptions,
  startSshd,
} from '@viassh/testing';
import type { Test } from 'tap';
import { applyRecipe } from './recipes-and-accounts.ts';
import { type ProgramRunOptions, reaching, runProgram } from './run-program.ts';
import type { Outcome } from './run-viassh.ts';

/** For tap: the reason why this mail program cannot be tested here, or false. */
export async function skipWithout(...programs: readonly string[]): Promise<string | false> {
  const missing = (await missingForSshd()) ?? (await missingForDovecot());
  if (missing !== undefined) return missing;
  for (const program of programs) if ((await findProgram(program)) === undefined) return `${program} is not installed`;
  return false;
}

/** A mailbox behind an sshd, and a home here for one mail program. */
export interface MailBench extends AsyncDisposable {
  readonly sshd: Sshd;
  readonly mailbox: Mailbox;
  /** What starts it, with all that a configuration could take for its own. */
  readonly command: string;
  /** 0700; the HOME of all that is run. */
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
  /** What `viassh recipe PROGRAM t --command …` prints, run by sh as it is. */
  apply(program: string, ...args: readonly string[]): Promise<void>;
  run(file: string, args: readonly string[], options?: ProgramRunOptions): Promise<Outcome>;
  /** The same on a terminal of its own. */
  onTerminal(command: string, options?: ProgramRunOptions): Promise<Outcome>;
  /** A file of the home. */
  write(name: string, text: string, mode?: number): Promise<string>;
  read(name: string): Promise<string>;
  /** How often each message of the mailbox is among these texts: all 1 is as it should be. */
  count(texts: readonly string[]): readonly number[];
}

/** Four mails. @param transport what the programs' `viassh` is told by the environment */
export async function makeMailBench(transport: string, options: SshdOptions = {}): Promise<MailBench> {
  await using undo = new AsyncDisposableStack();
  const sshd = undo.use(await startSshd(options));
  const mailbox = await createMailbox(sshd, { messages: 4 });
  const { path: folder } = undo.use(await makeScratchFolder());
  const home = join(folder, 'home');
  await mkdir(home, { mode: 0o700 });
  const env = { ...reaching(sshd, transport), HOME: home, TERM: 'xterm', LANG: 'C.UTF-8', XDG_CONFIG_HOME: '' };
  const command = `${mailbox.command} -o 'mail_log_prefix=%%(b) "b" $c \\d #e '`;
  const owned = undo.move();
  const run: MailBench['run'] = async (file, args, options = {}) =>
    await runProgram(file, args, { cwd: home, ...options, env: { ...env, ...options.env } });
  return {
    sshd,
    mailbox,
    command,
    home,
    env,
    apply: async (program, ...args) =>
      await applyRecipe(program, sshd.destination, { env, cwd: home }, ['--command', command, ...args]),
    run,
    onTerminal: async (command, options) => await run('script', ['-qec', command, '/dev/null'], options),
    async write(name, text, mode = 0o600) {
      const file = join(home, name);
      await writeFile(file, text);
      await chmod(file, mode);
      return file;
    },
    read: async (name) => await readFile(join(home, name), 'utf8'),
    count: (texts) => mailbox.messages.map(({ messageId }) => texts.filter((text) => text.includes(messageId)).length),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The texts of the mails of a Maildir. */
export async function readMaildir(folder: string): Promise<readonly string[]> {
  const parts = await Promise.all(['new', 'cur'].map((part) => readFolder(join(folder, part))));
  return parts.flat();
}

/** The texts of all files of a folder; none where there is no folder. */
export async function readFolder(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return await Promise.all(names.map(async (name) => await readFile(join(folder, name), 'utf8')));
}

/** The texts of the mails of an mbox. */
export async function readMbox(file: string): Promise<readonly string[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split(/^From .*\n/m).slice(1);
}

/** Nobody but the owner gets at a configuration that the recipe made. */
export async function isPrivate(t: Test, file: string): Promise<void> {
  t.equal((await stat(file)).mode & 0o077, 0, `${file} is its owner's alone`);
}
