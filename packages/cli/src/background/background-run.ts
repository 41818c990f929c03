import { Socket } from 'node:net';
import process from 'node:process';
import type { Writable } from 'node:stream';
import { flushed } from '../terminal/output.ts';

/** Tells the process that `--background` starts what it is. */
export const backgroundVariable = 'VIASSH_IN_BACKGROUND';

/** What the process in the background says when all stands: how many bytes it has written by then, so that none is lost. */
export interface StandsMessage {
  readonly stdout: number;
  readonly stderr: number;
}

/** This process, as one that `--background` has started. */
export interface BackgroundRun {
  /** All stands: the terminal is somebody else's now. */
  readonly hasLeft: boolean;
  /** All stands: whoever waits for it is told, and from here on nobody hears what we print. */
  stands(): Promise<void>;
}

/**
 * What `startInBackground` has made of this process; undefined for one that a person or program has started. As long as
 * it has not come up, it ends with the process that waits for it.
 */
export function takeBackgroundRun(stdout: Writable, stderr: Writable): BackgroundRun | undefined {
  const started = process.env[backgroundVariable] !== undefined && process.send !== undefined;
  delete process.env[backgroundVariable]; // what we start is not what we are
  if (!started) return undefined;
  process.once('disconnect', alone);
  let hasLeft = false;
  return {
    get hasLeft() {
      return hasLeft;
    },
    async stands() {
      hasLeft = true;
      await Promise.all([flushed(stdout), flushed(stderr)]);
      process.off('disconnect', alone);
      if (!process.connected) return;
      const message: StandsMessage = { stdout: bytesOf(stdout), stderr: bytesOf(stderr) };
      process.send?.(message, () => process.connected && process.disconnect());
    },
  };
}

/** Nobody waits for us any more. */
function alone(): void {
  process.kill(process.pid, 'SIGTERM');
}

function bytesOf(output: Writable): number {
  return output instanceof Socket ? output.bytesWritten : 0;
}
