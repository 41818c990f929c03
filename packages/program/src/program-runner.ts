import { statSync } from 'node:fs';
import type { Duplex, Readable } from 'node:stream';
import {
  abortedError,
  type ExitStatus,
  machineBusy,
  type ProgramOutput,
  type ProgramRequest,
  type ProgramRunner,
  type RunningProgram,
  ViasshError,
} from '@viassh/core';
import type { Options, Result, ResultPromise } from 'execa';

const MOST_OUTPUT = 1024 * 1024; // bytes of each output that run() collects

/** The ProgramRunner of this machine, on execa: no shell, SIGTERM then SIGKILL, nothing left when this process exits. */
export function createProgramRunner(): ProgramRunner {
  return { start, run };
}

async function start(request: ProgramRequest): Promise<RunningProgram> {
  const child = (await spawner())(request, { stdio: [...request.stdio], buffer: false } as Options);
  const ended: Promise<Result> = child;
  for (const stream of child.stdio.slice(1)) keepUnread(stream as Readable | Duplex | null | undefined);
  if (child.pid === undefined) throw failureToStart(request, await ended);
  // The event, not execa's promise: that one also waits for whoever inherited the program's descriptors.
  const exit = new Promise<ExitStatus>((resolve) => {
    child.nodeChildProcess.once('exit', (code, signal) =>
      resolve(exitOf({ exitCode: code ?? undefined, signal: signal ?? undefined })),
    );
  });
  return {
    pid: child.pid,
    stdin: child.stdin ?? undefined,
    stdout: child.stdout ?? undefined,
    stderr: child.stderr ?? undefined,
    descriptor: (fd) => (child.stdio[fd] as Duplex | null | undefined) ?? undefined,
    exit,
    kill: (signal) => void child.kill(signal),
  };
}

/**
 * With `buffer: false` execa throws away, from the next turn on, what comes on a stream whose `readableFlowing` is null. A
 * reader that is attached later would miss it: to execa such a stream is one that somebody has paused.
 */
function keepUnread(stream: Readable | Duplex | null | undefined): void {
  if (stream === null || stream === undefined || !('readableFlowing' in stream)) return;
  const own: unknown = Object.getPrototypeOf(stream);
  Object.defineProperty(stream, 'readableFlowing', {
    configurable: true,
    get: (): unknown => Reflect.get(own as object, 'readableFlowing', stream) ?? false,
  });
}

async function run({ input, ...request }: Parameters<ProgramRunner['run']>[0]): Promise<ProgramOutput> {
  const io: Options = input === undefined ? { stdin: 'ignore' } : { input };
  const result = await (await spawner())(request, { ...io, maxBuffer: MOST_OUTPUT, stripFinalNewline: false });
  if (result.isCanceled) throw abortedError(request.signal?.reason);
  if (result.exitCode === undefined && result.signal === undefined) throw failureToStart(request, result);
  return { exit: exitOf(result), stdout: String(result.stdout ?? ''), stderr: String(result.stderr ?? '') };
}

/** execa is loaded with the first program: what only shows a help text does without. */
async function spawner(): Promise<(request: Omit<ProgramRequest, 'stdio'>, io: Options) => ResultPromise> {
  const { execa } = await import('execa');
  return (request, io) =>
    execa(request.file, [...request.args], {
      ...io,
      cwd: request.cwd,
      env: request.env,
      cancelSignal: request.signal,
      reject: false,
      windowsHide: true,
    });
}

function exitOf(result: Pick<Result, 'exitCode' | 'signal'>): ExitStatus {
  if (result.exitCode !== undefined) return { kind: 'status', code: result.exitCode };
  if (result.signal === undefined) return { kind: 'missing' };
  return { kind: 'signal', signal: result.signal.replace(/^SIG/, ''), coreDumped: false, message: '' };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function failureToStart(request: Pick<ProgramRequest, 'file' | 'signal' | 'cwd'>, result: Result): ViasshError {
  if (result.isCanceled) return abortedError(request.signal?.reason);
  const cause = result.cause as NodeJS.ErrnoException | undefined;
  if (request.cwd !== undefined && !isFolder(request.cwd))
    // the system has one and the same error for both
    return new ViasshError('PROGRAM_FAILED', `there is no folder ${request.cwd} to run ${request.file} in`, { cause });
  const why = cause?.code === 'EACCES' ? 'is not executable' : 'is not installed';
  if (cause?.code === 'ENOENT' || cause?.code === 'EACCES' || cause?.code === 'ENOTDIR') {
    return new ViasshError('PROGRAM_NOT_FOUND', `the program ${request.file} ${why}`, {
      hint: `install ${request.file}, or correct PATH`,
      cause,
    });
  }
  const what = `the program ${request.file} could not be started`;
  return (
    machineBusy(cause, what) ??
    new ViasshError('PROGRAM_FAILED', `${what} (${cause?.code ?? 'unknown reason'})`, { cause })
  );
}
