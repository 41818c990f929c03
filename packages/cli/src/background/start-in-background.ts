import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fstatSync } from 'node:fs';
import { constants } from 'node:os';
import process from 'node:process';
import type { Readable, Writable } from 'node:stream';
import { abortedError, ViasshError } from '@viassh/core';
import type { CommandContext } from '../commands/command-context.ts';
import { backgroundVariable, type StandsMessage } from './background-run.ts';

/**
 * Runs this very command line once more, in a process of its own, and waits until it says that all stands. Until then it
 * is at our terminal, where ssh asks its questions; what it prints is ours. 0 once it stands, else its own exit code.
 *
 * What it prints later is lost, so that whoever reads our pipe sees its end with ours; but a file goes on to have all, and
 * with `-v` stderr stays whatever it is, as with `ssh -f`.
 *
 * @throws ViasshError PROGRAM_FAILED; ABORTED by a signal, which ends the other process as well
 */
export async function startInBackground({
  stdout,
  stderr,
  signal,
  usualProxy,
  globals,
}: Pick<CommandContext, 'stdout' | 'stderr' | 'signal' | 'usualProxy' | 'globals'>): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: ['ignore', isFile(1) ? 1 : 'pipe', isFile(2) || isVerbose(globals) ? 2 : 'pipe', 'ipc'],
    env: {
      ...process.env,
      [backgroundVariable]: '1',
      ...(usualProxy === undefined ? {} : { VIASSH_PROXY: usualProxy }),
    },
  });
  const [printed, said] = [relay(child.stdout, stdout), relay(child.stderr, stderr)];
  // Not by a signal: the terminal may have sent it one already, and a second one would end it without its good order.
  const letGo = (): void => void (child.connected && child.disconnect());
  if (signal.aborted) letGo();
  signal.addEventListener('abort', letGo, { once: true });
  try {
    const message = once(child, 'message').then(([stands]) => stands as StandsMessage);
    const outcome = await Promise.race([message, exitOf(child)]);
    if (typeof outcome === 'number') {
      await Promise.all([printed.upTo(Infinity), said.upTo(Infinity)]);
      if (signal.aborted) throw abortedError();
      return outcome;
    }
    await Promise.all([printed.upTo(outcome.stdout), said.upTo(outcome.stderr)]);
    return 0;
  } finally {
    signal.removeEventListener('abort', letGo);
  }
}

async function exitOf(child: ChildProcess): Promise<number> {
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    return code ?? 128 + constants.signals[signal ?? 'SIGTERM'];
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown reason';
    throw new ViasshError('PROGRAM_FAILED', `no process could be started for the background (${reason})`, {
      hint: 'look at the limits of this user (ulimit -u) and at the memory of this machine',
      cause,
    });
  }
}

interface Relay {
  /** Resolves when so many bytes have come, or no more will. */
  upTo(bytes: number): Promise<void>;
}

function isFile(fd: number): boolean {
  return fstatSync(fd).isFile();
}

function isVerbose({ level }: CommandContext['globals']): boolean {
  return level === 'info' || level === 'debug';
}

/** @param from null where it writes there by itself */
function relay(from: Readable | null, to: Writable): Relay {
  if (from === null) return { upTo: () => Promise.resolve() };
  let bytes = 0;
  let look: (() => void) | undefined;
  from.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    to.write(chunk);
    look?.();
  });
  from.once('close', () => look?.());
  return {
    upTo: (wanted) =>
      new Promise((resolve) => {
        look = () => {
          if (bytes >= wanted || from.closed) resolve();
        };
        look();
      }),
  };
}
