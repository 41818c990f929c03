import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import process from 'node:process';
import { type ProgramCall, type ProgramOutput, type RemoteShellProgram, sanitize, ViasshError } from '@viassh/core';
import type { GlobalValues } from '../arguments/global-options.ts';
import { builtinPrograms } from '../builtin.ts';
import { remoteShellFile } from '../installation.ts';
import { inForeground } from '../terminal/in-foreground.ts';
import { canBeExecuted } from './can-be-executed.ts';
import { findInPath } from './find-in-path.ts';
import type { ProgramCommandLine } from './split-at-program.ts';
import { unignoreSignals } from './unignore-signals.ts';

const LONGEST_QUESTION_MS = 15_000;

/**
 * Runs a program with our remote shell set for it: its descriptors are ours, its arguments untouched, its exit code the
 * result (128+n when signal n ended it). Prints errors, never throws.
 */
export async function runProgram({ own, command, args }: ProgramCommandLine): Promise<number> {
  let globals: GlobalValues | undefined;
  try {
    if (own.length > 0) globals = await takeOwn(own, command);
    if (command === 'rsh') return await (await import('./remote-shell.ts')).runRemoteShell(args);
    const program = await builtinPrograms.find(({ name }) => name === command)?.load();
    if (program === undefined) throw new ViasshError('INTERNAL', `${command} is not one of the programs`);
    const call = program.call(args, { path: remoteShellFile }, process.env);
    const file = findInPath(call.file, process.env);
    if (file === undefined) {
      throw new ViasshError('PROGRAM_NOT_FOUND', `the program ${call.file} is not installed`, {
        hint: `install ${call.file}, or correct PATH`,
      });
    }
    if (program.explain === undefined) become(file, call);
    const ended = await runToEnd(file, call);
    if (!ended.interrupted && ended.code !== 0 && globals?.level !== 'error')
      await explain(program, ended.code, { own, args });
    return ended.code;
  } catch (error) {
    const { reportError } = await import('../terminal/report.ts');
    const code = reportError(error, { json: false, level: globals?.level ?? 'warning' }, process.stderr);
    return command === 'rsh' ? 255 : code; // as ssh ends, whatever was wrong
  }
}

/** Reads our own options and leaves them in the environment, for the remote shell. @throws ViasshError */
async function takeOwn(own: readonly string[], command: string): Promise<GlobalValues> {
  const { parseCommandLine } = await import('../command-line.ts');
  const parsed = await parseCommandLine([command, ...own], '', 80);
  if (parsed.kind === 'text') throw new ViasshError('INTERNAL', 'a text in place of options');
  const { globals } = parsed.command;
  if (globals.json) throw senseless('--json', command, `what is printed is what ${command} says`);
  if (globals.noStdin && command !== 'rsh')
    throw senseless('-n', command, `for no input: viassh ${command} … </dev/null`);
  const { remoteShellVariables } = await import('./remote-shell-environment.ts');
  Object.assign(process.env, remoteShellVariables(globals, process.env));
  return globals;
}

function senseless(option: string, command: string, why: string): ViasshError {
  return new ViasshError('USAGE', `${option} makes no sense before ${command}`, {
    hint: `leave it away, or write it behind ${command} if it is meant for that: ${why}`,
  });
}

/** Makes this process the program. Returns where the system cannot. */
function become(file: string, { file: name, args, env }: ProgramCall): void {
  unignoreSignals();
  if (canBeExecuted(file)) process.execve?.(file, [name, ...args], { ...process.env, ...env });
}

interface Ended {
  readonly code: number;
  /** A signal to us was passed on, or came from the terminal: nobody wants to hear why it failed. */
  readonly interrupted: boolean;
}

async function runToEnd(file: string, { args, env, file: name }: ProgramCall): Promise<Ended> {
  let interrupted = false;
  let child: ChildProcess | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      interrupted = true;
      if (signal === 'SIGTERM' || !inForeground()) child?.kill(signal);
    });
  }
  child = spawn(file, args, { argv0: name, stdio: 'inherit', env: { ...process.env, ...env } });
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    return { code: code ?? 128 + constants.signals[signal ?? 'SIGTERM'], interrupted };
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown reason';
    throw new ViasshError('PROGRAM_FAILED', `the program ${name} could not be started (${reason})`, {
      hint: `look at the file ${file}`,
      cause,
    });
  }
}

/** Asks the program's part of ours what was wrong; silent where that knows nothing, or cannot find out in time. */
async function explain(
  program: RemoteShellProgram,
  code: number,
  { own, args }: Pick<ProgramCommandLine, 'own' | 'args'>,
): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(LONGEST_QUESTION_MS)]);
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop.abort());
  const ask = async (destination: string, command: string): Promise<ProgramOutput> =>
    await (await import('./ask-destination.ts')).askDestination(own, destination, command, signal);
  const line = await program.explain?.({ code, args, ask }).catch(() => undefined);
  if (line === undefined) return;
  const { paint } = await import('../terminal/report.ts');
  process.stderr.write(`${paint('bold', 'viassh: hint:', process.stderr)} ${sanitize(line)}\n`);
}
