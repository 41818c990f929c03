import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import process from 'node:process';
import { builtinPrograms } from '../builtin.ts';
import { runRemoteShell } from './remote-shell.ts';
import type { ProgramCommandLine } from './split-at-program.ts';

/** Runs a program with our remote shell set for it; its descriptors are ours, its exit code is the result. */
export async function runProgram({ command, args }: ProgramCommandLine): Promise<number> {
  if (command === 'rsh') return await runRemoteShell(args);
  const entry = builtinPrograms.find(({ name }) => name === command);
  const program = await entry?.load();
  if (program === undefined) return 64;
  const call = program.call(args, { path: remoteShellFile });
  const child = spawn(call.file, call.args, { stdio: 'inherit', env: { ...process.env, ...call.env } });
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return code ?? 128 + constants.signals[signal ?? 'SIGTERM'];
}

/** In the bundle, beside the file that this is in. */
const remoteShellFile = fileURLToPath(new URL('viassh-ssh.js', import.meta.url));
