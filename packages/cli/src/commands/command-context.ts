import type { Readable, Writable } from 'node:stream';
import type { Logger, ProcessSignals } from '@viassh/core';
import type { GlobalValues } from '../arguments/global-options.ts';
import type { BackgroundRun } from '../background/background-run.ts';
import type { Environment } from '../environment.ts';
import type { Nudges } from '../terminal/abort-on-signals.ts';

/** What a command works with: the process's streams, its surroundings, the global options. */
export interface CommandContext {
  readonly globals: GlobalValues;
  readonly environment: Environment;
  /** The proxy of $VIASSH_PROXY, where --proxy says nothing. A secret: `environment` has it no more. */
  readonly usualProxy: string | undefined;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly log: Logger;
  /** For a plugin that acts on signals itself. */
  readonly signals?: ProcessSignals | undefined;
  /** Undefined where the process is not ours alone. */
  readonly nudges?: Nudges | undefined;
  /** Aborted by SIGINT, SIGTERM and SIGHUP. */
  readonly signal: AbortSignal;
  /** What a second signal, which ends this process at once, gives for an exit code; undefined for the usual one. */
  readonly exitAtOnceWith: (code: () => number | undefined) => void;
  /** For a process that `--background` started. */
  readonly background?: BackgroundRun | undefined;
}
