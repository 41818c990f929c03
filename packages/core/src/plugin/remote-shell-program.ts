import type { ProgramOutput } from '../program/program-runner.ts';
import type { Account } from './account.ts';
import type { Recipe } from './recipe.ts';

/** Our remote shell, for programs that are told one. */
export interface RemoteShell {
  /** An executable file that takes ssh's arguments. It needs none of its own before them. */
  readonly path: string;
}

/** How to start a local program. Its environment is ours and this. */
export interface ProgramCall {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** A local program that carries its protocol over a remote shell, as rsync, cvs and git do. */
export interface RemoteShellProgram {
  /** Also the CLI's subcommand: lower case letters and digits. */
  readonly name: string;
  /** One line for lists. */
  readonly summary: string;
  readonly recipes?: readonly Recipe[];
  readonly accounts?: readonly Account[];
  /**
   * How it is started so that it calls our remote shell; its own arguments pass untouched. `variables` is the
   * environment that it will see, before what the call adds.
   *
   * @throws ViasshError OPTION_INVALID for what would go around our remote shell
   */
  call(
    args: readonly string[],
    shell: RemoteShell,
    variables: Readonly<Record<string, string | undefined>>,
  ): ProgramCall;
  /**
   * After it failed: what is wrong and what to do, where its own words do not say so. `ask` has a command run on a
   * destination and collects what it printed.
   */
  explain?(failure: ProgramFailure): Promise<string | undefined>;
}

/** How a program failed. */
export interface ProgramFailure {
  /** Its exit status; 128+n for a signal. */
  readonly code: number;
  readonly args: readonly string[];
  /** @throws ViasshError when nothing can be run there */
  readonly ask: (destination: string, command: string) => Promise<ProgramOutput>;
}

/** A program before it is loaded. */
export interface RemoteShellProgramEntry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<RemoteShellProgram>;
}
