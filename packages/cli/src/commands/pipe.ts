import { Readable } from 'node:stream';
import {
  type Capability,
  type Connection,
  describeExit,
  exitCodeOf,
  pipe,
  type SessionRequest,
  ViasshError,
} from '@viassh/core';
import { farTerminal, followTerminal } from '../terminal/far-terminal.ts';
import type { CommandContext } from './command-context.ts';
import { openForCommand } from './open-for-command.ts';

const SIGPIPE_EXIT = 128 + 13; // as a shell shows a program that wrote to a closed pipe
const NOT_FOUND = 127;

/** What `viassh pipe` was asked for. */
export interface PipeArguments {
  readonly destination: string;
  readonly words: readonly string[];
  readonly subsystem: boolean;
  readonly tty: boolean;
  /** -X, -Y: X11 for the remote command. */
  readonly x11?: 'untrusted' | 'trusted' | undefined;
}

/** `viassh pipe`: this process's streams and a remote command's joined. Returns the exit code. */
export async function runPipe(
  context: CommandContext,
  { destination, words, subsystem, tty, x11 }: PipeArguments,
): Promise<number> {
  const request = requestOf(words, subsystem);
  const needs: Capability[] = [request.kind, ...(tty ? (['pty'] as const) : [])];
  if (x11 !== undefined) {
    const { runPipeWithX11 } = await import('./pipe-with-x11.ts');
    return await runPipeWithX11(context, { destination, request, needs, tty, trusted: x11 === 'trusted' }, carry);
  }
  await using connection = await openForCommand(context, destination, needs);
  return await carry(context, connection, request, tty);
}

/** Joins the streams to a session of `opener`. Returns the exit code. */
async function carry(
  context: CommandContext,
  opener: Pick<Connection, 'openSession'>,
  request: SessionRequest,
  tty: boolean,
): Promise<number> {
  const { stdin, stdout, stderr, signal, log, globals } = context;
  const running = await pipe(opener, request, {
    stdin: globals.noStdin ? Readable.from([]) : stdin,
    stdout,
    stderr,
    pty: tty ? farTerminal(context, context.environment.variables) : undefined,
    signal,
  });
  using _ = tty ? followTerminal(context, running) : noTerminal;
  const exit = await running.exit;
  log.info(
    `the remote command ended: ${describeExit(exit)}; ${running.progress.sent} bytes sent, ${running.progress.received} received`,
  );
  if (running.progress.outputClosed) return SIGPIPE_EXIT;
  if (exit.kind === 'missing')
    throw new ViasshError('EXIT_STATUS_MISSING', 'the server never said how the remote command ended');
  const code = exitCodeOf(exit);
  if (code === NOT_FOUND && request.kind === 'exec') {
    log.warning(
      `the far end has no such command: ${request.command} (status 127); give its full path, a login shell's PATH is not in force there`,
    );
  }
  return code;
}

function requestOf(words: readonly string[], subsystem: boolean): SessionRequest {
  const command = words.join(' '); // as ssh joins its arguments
  if (subsystem) {
    if (words.length === 0)
      throw new ViasshError('USAGE', '-s wants the name of a subsystem', { hint: 'viassh pipe DEST -s -- sftp' });
    return { kind: 'subsystem', subsystem: command };
  }
  return words.length === 0 ? { kind: 'shell' } : { kind: 'exec', command };
}

const noTerminal: Disposable = { [Symbol.dispose]: () => undefined };
