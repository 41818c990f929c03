import type { Readable, Writable } from 'node:stream';
import type { ExitStatus } from '../connection/exit-status.ts';

/**
 * One standard descriptor of a program: `inherit` = the caller's own, `ignore` = /dev/null, `pipe` = a stream of the
 * running program, a number = that descriptor of this process.
 */
export type ProgramDescriptor = 'inherit' | 'ignore' | 'pipe' | number;

/** stdin, stdout, stderr, and further descriptors from 3 on. */
export type ProgramStdio = readonly [ProgramDescriptor, ProgramDescriptor, ProgramDescriptor, ...ProgramDescriptor[]];

/** How to start a local program. Never through a shell. */
export interface ProgramRequest {
  /** A path, or a name to be found in PATH. */
  readonly file: string;
  readonly args: readonly string[];
  readonly stdio: ProgramStdio;
  readonly cwd?: string | undefined;
  /** Added to the environment of this process; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Ends the program: SIGTERM first, SIGKILL when it does not go. */
  readonly signal?: AbortSignal | undefined;
}

/** A local program that runs. What it says waits until it is read, and the program with it once the pipe is full. */
export interface RunningProgram {
  readonly pid: number;
  readonly stdin: Writable | undefined;
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
  /** The stream of descriptor `fd` (from 3 on) that was asked for as `pipe`; carries bytes both ways. */
  descriptor(fd: number): (Readable & Writable) | undefined;
  /** Resolves when it ended, never rejects. */
  readonly exit: Promise<ExitStatus>;
  kill(signal: NodeJS.Signals): void;
}

/** What a program said and how it ended. */
export interface ProgramOutput {
  readonly exit: ExitStatus;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs local programs. Implemented once, in `@viassh/program`. */
export interface ProgramRunner {
  /** @throws ViasshError PROGRAM_NOT_FOUND, ABORTED */
  start(request: ProgramRequest): Promise<RunningProgram>;
  /**
   * Runs to the end with stdin from `input` (default: none) and both outputs collected (1 MiB each at the most).
   *
   * @throws ViasshError PROGRAM_NOT_FOUND, ABORTED
   */
  run(request: Omit<ProgramRequest, 'stdio'> & { readonly input?: string | undefined }): Promise<ProgramOutput>;
}
