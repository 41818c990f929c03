import {
  type Clock,
  type Connection,
  describeExit,
  type ExitStatus,
  type Logger,
  type PtyRequest,
  sanitize,
  type SessionChannel,
  type StderrTail,
  ViasshError,
  watchStderr,
} from '@viassh/core';

/** Milliseconds that a program which has closed its stdout has to say how it ended. */
const LAST_WORDS_MS = 2000;

/** A program of the far end that is to be the other end of a link. */
export interface FarProgram {
  readonly channel: SessionChannel;
  readonly stderr: StderrTail;
  /** Resolves to how it ended, to undefined when it has not, or is not heard of; never rejects. */
  ended(): Promise<ExitStatus | undefined>;
}

/** How it is started. */
export interface FarProgramRequest {
  readonly connection: Pick<Connection, 'openSession'>;
  readonly command: string;
  /** For log lines. */
  readonly who: string;
  readonly pty?: PtyRequest | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** @throws ViasshError as Connection.openSession */
export async function startFarProgram(request: FarProgramRequest): Promise<FarProgram> {
  const { connection, command, who, pty, clock, log, signal } = request;
  log.debug(`on the far end: ${command}`);
  const channel = await connection.openSession({ kind: 'exec', command, pty, signal });
  const stderr = watchStderr(channel.stderr, who, log);
  return {
    channel,
    stderr,
    ended: async () => {
      const { promise: late, resolve } = Promise.withResolvers<undefined>();
      const timer = clock.setTimeout(() => resolve(undefined), LAST_WORDS_MS);
      timer.unref();
      try {
        const exit = await Promise.race([channel.exit, late]);
        await Promise.race([stderr.ended, late]);
        return exit?.kind === 'missing' ? undefined : exit;
      } catch {
        return undefined;
      } finally {
        clock.clearTimeout(timer);
      }
    },
  };
}

/**
 * `cause`, which is how it looked from here, with how the program ended and what it said. `who`: `pppd of the far end`. The
 * code stays: an end by itself says nothing of whether another attempt would do.
 */
export function withExit(cause: ViasshError, who: string, exit: ExitStatus, said: string): ViasshError {
  const end = sanitize(`${who} ended with ${describeExit(exit)}${said === '' ? '' : `: ${said}`}`);
  return new ViasshError(cause.code, `${cause.message}; ${end}`, {
    hint: cause.hint ?? '-v shows all that it said',
    cause: causeWith(cause, exit),
  });
}

/** For the exit code of a command that was not there. */
export function causeWith(cause: unknown, exit: ExitStatus): Error {
  return Object.assign(new Error('the program ended', { cause }), { exit });
}
