import {
  type Channel,
  type Connection,
  type ExitStatus,
  type FarEnd,
  type Logger,
  openFarEnd,
  type SessionChannel,
  type StderrTail,
  watchStderr,
} from '@viassh/core';
import { awaitGreeting } from './greeting.ts';
import { greetingFailure } from './greeting-failure.ts';

const LAST_WORDS_MS = 2000; // a command that closed its output may go on without it

/** How a channel to an SMTP server is opened. */
export interface GreetedOptions {
  /** From the moment the channel is there. */
  readonly timeoutMs: number;
  /** Until the greeting; after it the channel is the caller's. */
  readonly signal?: AbortSignal | undefined;
  /** Gets the far end's stderr as `info`. */
  readonly log: Logger;
  /** Called when the channel is there, before the greeting. */
  readonly onOpen?: (channel: Channel) => void;
}

/** A channel that stands at the first byte of a greeting. */
export interface Greeted {
  readonly channel: Channel;
  /** How the far end's command ends, where it is one. */
  readonly exit?: Promise<ExitStatus> | undefined;
}

/**
 * Opens a channel to an SMTP server and resolves when it begins to greet. Its stderr is read here; an error of the
 * channel that nobody listens to does not end the process. A socket that hangs up is hung up on as well.
 *
 * @throws ViasshError SMTP_PROTOCOL (its `cause` is a NoGreetingCause where nothing came), SMTP_TIMEOUT, and those of
 * openFarEnd. The channel is then closed.
 */
export async function openGreeted(
  connection: Pick<Connection, 'openSession' | 'openDirectTcpip' | 'openDirectStreamlocal'>,
  farEnd: FarEnd,
  { timeoutMs, signal, log, onOpen }: GreetedOptions,
): Promise<Greeted> {
  const session =
    farEnd.kind === 'exec'
      ? await connection.openSession({ kind: 'exec', command: farEnd.command, signal })
      : undefined;
  const channel = session ?? (await openFarEnd(connection, farEnd, { signal }));
  channel.on('error', () => undefined);
  const stderr = watchStderr(session?.stderr, 'far end', log);
  if (session === undefined) channel.once('end', () => channel.end()); // who hung up answers nothing any more
  onOpen?.(channel);
  try {
    const outcome = await awaitGreeting(channel, { timeoutMs, signal });
    if (outcome.kind === 'greeting') return { channel, exit: session?.exit };
    const ended = outcome.kind === 'ended' && session !== undefined;
    const exit = ended ? await endOf(session, stderr) : undefined;
    throw greetingFailure(outcome, { farEnd, timeoutMs, exit, lastLine: stderr.lastLine });
  } catch (error) {
    channel.destroy();
    throw error;
  }
}

/** How a command ended that has closed its output; `undefined` when it does not end. */
async function endOf({ exit }: SessionChannel, { ended }: StderrTail): Promise<ExitStatus | undefined> {
  const patience = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => patience.resolve(undefined), LAST_WORDS_MS);
  try {
    return await Promise.race([Promise.all([exit, ended]).then(([status]) => status), patience.promise]);
  } finally {
    clearTimeout(timer);
  }
}
