import { writeFile } from 'node:fs/promises';
import type { Sshd } from '@viassh/testing';
import { type ProgramRunOptions, runProgram } from './run-program.ts';

/** Prints the recipe and has sh run that text, byte for byte. @throws Error when one of them fails */
export async function applyRecipe(
  program: string,
  destination: string,
  options: ProgramRunOptions,
  args: readonly string[] = [],
): Promise<void> {
  const input = await succeed('viassh', ['recipe', program, destination, ...args], options);
  await succeed('sh', [], { ...options, input });
}

/** The lines for sshd_config that `viassh account` prints. @throws Error when it fails, or prints none */
export async function sshdConfigOf(args: readonly string[]): Promise<readonly string[]> {
  const printed = await succeed('viassh', ['account', ...args]);
  const block = /^# in sshd_config:\n((?:# {3}.*\n)+)/m.exec(printed)?.[1];
  if (block === undefined) throw new Error(`no lines for sshd_config in: ${printed}`);
  return block
    .trimEnd()
    .split('\n')
    .map((line) => line.slice('#   '.length));
}

/**
 * A new key for which what `viassh account` printed is in authorized_keys, comments and all, byte for byte; gives a client configuration that logs in
 * with it: ssh offers keys in the order of the configuration, and the first that is known decides what is allowed.
 */
export async function addAccount(sshd: Sshd, args: readonly string[]): Promise<{ readonly configFile: string }> {
  const { file } = await sshd.generateKey();
  const [program = '', ...options] = args;
  const printed = await succeed('viassh', ['account', program, `${file}.pub`, ...options]);
  await sshd.authorize(printed);
  const configFile = `${file}.config`;
  await writeFile(configFile, `IdentityFile ${file}\nInclude ${sshd.configFile}\n`);
  return { configFile };
}

async function succeed(file: string, args: readonly string[], options?: ProgramRunOptions): Promise<string> {
  const { code, stdout, stderr } = await runProgram(file, args, options);
  if (code !== 0) throw new Error(`${file} ${args.join(' ')} ended with ${code}: ${stderr}`);
  return stdout.toString();
}
