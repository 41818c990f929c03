import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import process from 'node:process';
import { cliFile, type Outcome, remoteShellFile, surroundings } from './run-viassh.ts';

/** The commands as an installation puts them in PATH. */
const commands = mkdtempSync(join(tmpdir(), 'viassh-bin-'));
process.once('exit', () => rmSync(commands, { recursive: true, force: true }));
chmodSync(commands, 0o755); // programs that change to a user of their own look there, too
for (const [name, file] of [
  ['viassh', cliFile],
  ['viassh-ssh', remoteShellFile],
  ['node', process.execPath],
] as const)
  symlinkSync(file, join(commands, name));

/** The PATH of what is run. */
export const commandsInPath: string = [commands, process.env['PATH'], '/usr/sbin'].join(delimiter);

/** How a program is run. */
export interface ProgramRunOptions {
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly cwd?: string | undefined;
  /** All of stdin; default: nothing, and its end at once. */
  readonly input?: string | Uint8Array | undefined;
  /** A run that takes longer hangs: its process group is killed, and the promise rejects. Default: 60000. */
  readonly withinMs?: number | undefined;
}

/** Runs a program of this machine, in a session of its own, with `viassh` and `viassh-ssh` in its PATH. */
export async function runProgram(
  file: string,
  args: readonly string[],
  { env = {}, cwd, input, withinMs = 60_000 }: ProgramRunOptions = {},
): Promise<Outcome> {
  const child = spawn('/usr/bin/env', ['-u', 'NODE_OPTIONS', file, ...args], {
    env: { ...surroundings, PATH: commandsInPath, ...env },
    cwd,
    detached: true,
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  child.stdin.on('error', () => undefined).end(input); // it may end before it has read everything
  let late = false;
  const deadline = setTimeout(() => {
    late = true;
    process.kill(-(child.pid ?? 0), 'SIGKILL');
  }, withinMs);
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearTimeout(deadline);
  const stderr = Buffer.concat(err).toString();
  if (late) throw new Error(`${file} ${args.join(' ')} hangs in ${dirname(cwd ?? '.')}; it said: ${stderr}`);
  return { code, signal, stdout: Buffer.concat(out), stderr };
}

/**
 * The environment in which our remote shell reaches a fixture, whoever calls it: its configuration file, and the
 * transport.
 */
export function reaching(sshd: { readonly configFile: string }, transport: string): Record<string, string> {
  return { VIASSH_SSH_OPTIONS: JSON.stringify(['-F', sshd.configFile]), VIASSH_TRANSPORT: transport };
}
