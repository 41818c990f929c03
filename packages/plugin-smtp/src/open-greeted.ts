import { type Channel, type Connection, type ExitStatus, type FarEnd, type Logger, openFarEnd } from '@viassh/core';
import { type FarStderr, readFarStderr } from './far-stderr.ts';
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

/**
 * Opens a channel to an SMTP server and resolves when it begins to greet: the channel stands at the first byte of that.
 * Its stderr is read here; an error of the channel that nobody listens to does not end the process.
 *
 * @throws ViasshError SMTP_PROTOCOL (its `cause` is a NoGreetingCause where nothing came), SMTP_TIMEOUT, and those of
 * openFarEnd. The channel is then closed.
 */
export async function openGreeted(
  connection: Pick<Connection, 'openSession' | 'openDirectTcpip' | 'openDirectStreamlocal'>,
  farEnd: FarEnd,
  { timeoutMs, signal, log, onOpen }: GreetedOptions,
): Promise<Channel> {
  const channel = await openFarEnd(connection, farEnd, { signal });
  channel.on('error', () => undefined);
  const stderr = 'stderr' in channel ? readFarStderr(channel.stderr, log) : undefined;
  onOpen?.(channel);
  try {
    const outcome = await awaitGreeting(channel, { timeoutMs, signal });
    if (outcome.kind === 'greeting') return channel;
    const exit = outcome.kind === 'ended' && stderr !== undefined ? await endOf(channel, stderr) : undefined;
    throw greetingFailure(outcome, { farEnd, timeoutMs, exit, lastLine: stderr?.lastLine ?? '' });
  } catch (error) {
    channel.destroy();
    throw error;
  }
}

/** How a command ended that has closed its output; `undefined` when it does not end. */
async function endOf(channel: Channel, { ended }: FarStderr): Promise<ExitStatus | undefined> {
  if (!('exit' in channel)) return undefined;
  const exit = channel.exit as Promise<ExitStatus>;
  const patience = AbortSignal.timeout(LAST_WORDS_MS);
  const tired = new Promise<undefined>((resolve) =>
    patience.addEventListener('abort', () => resolve(undefined), { once: true }),
  );
  return await Promise.race([Promise.all([exit, ended]).then(([status]) => status), tired]);
}
