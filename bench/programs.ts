import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import type { Sshd } from '@viassh/testing';

/** A program with the arguments that come before the remote command. */
export interface Program {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

const cliFile = createRequire(import.meta.url)
  .resolve('viassh/package.json')
  .replace('package.json', 'bundle/main.js');

/** The user's ssh. */
export function sshProgram({ configFile, destination }: Sshd, options: readonly string[] = []): Program {
  return { name: 'ssh', file: 'ssh', args: ['-F', configFile, ...options, destination] };
}

/** `viassh pipe`, as installed. */
export function viasshProgram(
  { configFile, destination }: Sshd,
  transport: string,
  options: readonly string[] = [],
): Program {
  const args = [cliFile, 'pipe', '-F', configFile, ...options, '--transport', transport, destination, '--'];
  return { name: `viassh pipe, ${transport}`, file: process.execPath, args };
}

/** `viassh-ssh`, which becomes ssh where the transport is openssh. Its file is executable. */
export function rshProgram({ configFile }: Pick<Sshd, 'configFile'>): Pick<Program, 'file' | 'args'> {
  return { file: cliFile.replace(/main\.js$/, 'viassh-ssh.js'), args: ['-F', configFile] };
}

/** The handed-over way: no byte passes through Node. */
export function handOverProgram(sshd: Sshd, options: readonly string[] = []): Program {
  const { file, args } = rshProgram(sshd);
  return { name: 'viassh-ssh, handed over', file, args: [...args, ...options, sshd.destination] };
}

/** The command with words of its own, and no remote command. */
export function viasshAlone(...words: readonly string[]): Program {
  return { name: `viassh ${words.join(' ')}`, file: process.execPath, args: [cliFile, ...words] };
}

/** Starts it with a remote command. Its stderr is ours. */
export function start(
  { file, args, env }: Program,
  command: string,
  stdin: 'ignore' | 'pipe' | number,
  stdout: 'ignore' | 'pipe',
): ChildProcess {
  return spawn(file, [...args, command], { stdio: [stdin, stdout, 'inherit'], env: { ...process.env, ...env } });
}

/** @throws Error unless the program ends with status 0 */
export async function ended({ args }: Program, child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  if (child.exitCode !== 0) throw new Error(`${args.join(' ')}: ${child.exitCode ?? child.signalCode}`);
}

/** Milliseconds that `job` takes. */
export async function timed(job: () => Promise<unknown>): Promise<number> {
  const before = performance.now();
  await job();
  return performance.now() - before;
}
