import { closeSync, constants, openSync } from 'node:fs';
import { abortedError, exitCodeOf, type ProgramRunner } from '@viassh/core';
import { confine } from './confine.ts';
import { HeldPaths } from './held-paths.ts';
import type { RrsyncLimits } from './limits.ts';
import { readServerCommand } from './read-server-command.ts';
import { refused } from './refused.ts';

/** One run of a forced command. */
export interface RrsyncRun {
  readonly programs: ProgramRunner;
  readonly limits: RrsyncLimits;
  /** SSH_ORIGINAL_COMMAND; undefined when there is none. */
  readonly command: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs the command of an rsync client on this process's own standard streams, when the key may; gives the exit code.
 * `true` is allowed, so that a client can see whether it gets here.
 *
 * @throws ViasshError RSYNC_REFUSED, PROGRAM_NOT_FOUND, ABORTED
 */
export async function serveRsync({ programs, limits, command, signal }: RrsyncRun): Promise<number> {
  if (command === undefined || command === '')
    throw refused(
      'there is no command',
      'this is a forced command for authorized_keys, and the key is for rsync alone',
    );
  if (command === 'true') return 0;
  const checked = readServerCommand(command, limits);
  const held = new HeldPaths(limits.directory);
  const lock = openSync(held.root, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    if (!limits.noLock) await takeLock(programs, lock, signal);
    const args = confine(checked, limits, held);
    const rsync = await programs.start({
      file: 'rsync',
      args,
      stdio: ['inherit', 'inherit', 'inherit', ...held.descriptors],
      cwd: held.root,
      signal,
    });
    const exit = await rsync.exit;
    if (signal?.aborted === true) throw abortedError(signal.reason);
    return exitCodeOf(exit);
  } finally {
    held.close();
    closeSync(lock);
  }
}

/** The lock is the descriptor's: it outlives flock(1), and ends when we close it. rrsync takes the same. */
async function takeLock(programs: ProgramRunner, fd: number, signal: AbortSignal | undefined): Promise<void> {
  const flock = await programs.start({
    file: 'flock',
    args: ['--exclusive', '--nonblock', '3'],
    stdio: ['ignore', 'ignore', 'inherit', fd],
    signal,
  });
  if (exitCodeOf(await flock.exit) !== 0)
    throw refused(
      'another transfer uses the folder of this key',
      'wait for its end, or set the account up with -no-lock',
    );
}
