import type { Readable, Writable } from 'node:stream';
import { abortedError, toViasshError, ViasshError } from '../errors/viassh-error.ts';
import type { Channel, SessionChannel } from './channel.ts';

/** What passed, live: read it while the bridge runs. */
export interface BridgeProgress {
  /** From the near end into the channel. */
  sent: number;
  /** From the channel to the near end, stderr not included. */
  received: number;
  /** The near end stopped reading before the channel was through (EPIPE). */
  outputClosed: boolean;
}

/** The near end's streams. What is left out stays with the caller; `drop` reads and forgets. */
export interface BridgeEnds {
  readonly input?: Readable | undefined;
  readonly output?: Writable | 'drop' | undefined;
  readonly error?: Writable | 'drop' | undefined;
}

/** A bridge that runs. */
export interface Bridge {
  readonly progress: BridgeProgress;
  /**
   * Resolves when the channel is closed and all that came from it was handed to the near end; without an `output`, when
   * `error` is through and the far end is done (`exit` of a session; `close` of another channel, which wants reading).
   * A near end that stops reading early (EPIPE) closes the channel and is no error, as with `ssh host yes | head`.
   * Rejects with ABORTED, at once; with CONNECTION_LOST when what had arrived was handed to `output`, without one at
   * once for a session; with STREAM_FAILED.
   */
  readonly done: Promise<void>;
}

/**
 * Joins a near end to a channel: half-close both ways (EOF of the input is EOF on the channel and the other way round),
 * backpressure both ways, nothing buffered beyond one window. Outputs are not ended: they belong to the caller.
 */
export function bridge(
  channel: Channel | SessionChannel,
  ends: BridgeEnds,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Bridge {
  const progress: BridgeProgress = { sent: 0, received: 0, outputClosed: false };
  const outputs: Promise<void>[] = [];
  const over = closeOf(channel);
  over.catch(() => undefined);
  if (ends.input !== undefined) feed(ends.input, channel, progress);
  if (ends.output !== undefined) outputs.push(over, drain(channel, ends.output, channel, progress));
  else outputs.push('exit' in channel ? exitOf(channel) : over); // nobody here reads: a loss may never come to the stream
  if (ends.error !== undefined && 'stderr' in channel)
    outputs.push(drain(channel.stderr, ends.error, channel, { received: 0, outputClosed: false }));
  const through = Promise.all(outputs).then(() => undefined);
  const done = signal === undefined ? through : Promise.race([abortOf(signal, channel), through]);
  done.catch(() => undefined);
  return { progress, done };
}

/** Resolves when the channel is closed, rejects when it fails. */
function closeOf(channel: Channel): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: unknown): void => reject(toViasshError(error, 'CONNECTION_LOST'));
    channel.once('error', onError).once('close', resolve);
    if (channel.errored !== null && channel.errored !== undefined) onError(channel.errored);
    else if (channel.closed) resolve(); // its events are over
  });
}

async function exitOf({ exit }: SessionChannel): Promise<void> {
  try {
    await exit;
  } catch (error) {
    throw toViasshError(error, 'CONNECTION_LOST');
  }
}

/** Input to channel. A failing input closes the channel with the reason; its end is EOF. */
function feed(input: Readable, channel: Channel, progress: BridgeProgress): void {
  const onData = (chunk: Buffer | string): void => {
    if (!channel.writable) return;
    progress.sent += typeof chunk === 'string' ? Buffer.byteLength(chunk) : chunk.length;
    if (!channel.write(chunk)) {
      input.pause();
      channel.once('drain', onDrain);
    }
  };
  const onDrain = (): void => void input.resume();
  const onEnd = (): void => void (channel.writable && channel.end());
  const onError = (error: Error): void => {
    channel.destroy(new ViasshError('STREAM_FAILED', `reading the input failed: ${error.message}`, { cause: error }));
  };
  const stop = (): void => {
    input.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', onError);
    channel.off('drain', onDrain);
    input.pause();
    ignoreLateErrors(input);
  };
  input.on('data', onData).once('end', onEnd).once('close', onEnd).on('error', onError);
  if (input.errored !== null && input.errored !== undefined) onError(input.errored);
  else if (input.readableEnded || input.destroyed) onEnd();
  else input.resume(); // whoever had it before may have paused it
  channel.once('finish', () => input.off('data', onData).pause());
  channel.once('close', stop);
}

/** One direction out: resolves when the source has ended and every byte was taken, or when nobody reads any more. */
function drain(
  source: Readable,
  output: Writable | 'drop',
  channel: Channel,
  progress: Pick<BridgeProgress, 'received' | 'outputClosed'>,
): Promise<void> {
  if (output === 'drop') {
    source.resume();
    return Promise.resolve();
  }
  return new Promise((resolve, reject) => {
    let pending = 0;
    let ended = false;
    const settle = (): void => {
      if (ended && pending === 0) finish(resolve);
    };
    const onData = (chunk: Buffer): void => {
      progress.received += chunk.length;
      pending += 1;
      const more = output.write(chunk, (error) => {
        pending -= 1;
        if (error) onOutputError(error);
        else settle();
      });
      if (!more) {
        source.pause();
        output.once('drain', onDrain);
      }
    };
    const onDrain = (): void => void source.resume();
    const onEnd = (): void => {
      ended = true;
      settle();
    };
    const onOutputError = (error: NodeJS.ErrnoException): void => {
      if (
        error.code === 'EPIPE' ||
        error.code === 'ERR_STREAM_DESTROYED' ||
        error.code === 'ERR_STREAM_PREMATURE_CLOSE'
      ) {
        giveUp();
      } else {
        const failure = new ViasshError('STREAM_FAILED', `writing the output failed: ${error.message}`, {
          cause: error,
        });
        channel.destroy(failure);
        finish(() => reject(failure));
      }
    };
    const onOutputClose = (): void => {
      if (!ended || pending > 0) giveUp();
    };
    const giveUp = (): void => {
      progress.outputClosed = true;
      finish(resolve);
      channel.destroy();
    };
    const finish = (settleNow: () => void): void => {
      source.off('data', onData).off('end', onEnd).off('close', onEnd);
      output.off('error', onOutputError).off('close', onOutputClose).off('drain', onDrain);
      ignoreLateErrors(output);
      settleNow();
    };
    output.on('error', onOutputError).once('close', onOutputClose);
    source.once('end', onEnd).once('close', onEnd).on('data', onData);
    if (source.readableEnded || source.destroyed) onEnd();
    else if (output.destroyed) giveUp();
    else source.resume(); // whoever had it before may have paused it
  });
}

const guarded = new WeakSet<Readable | Writable>();

/** What goes wrong on a near end once the bridge is through is its owner's, and must not end the process. */
function ignoreLateErrors(stream: Readable | Writable): void {
  if (guarded.has(stream)) return;
  guarded.add(stream); // once for each stream, however many bridges it sees
  stream.on('error', () => undefined);
}

/** Destroys the channel on abort and rejects with that, before anything the destroying may settle. */
function abortOf(signal: AbortSignal, channel: Channel): Promise<never> {
  return new Promise((_, reject) => {
    const onAbort = (): void => {
      const error = abortedError(signal.reason);
      reject(error);
      channel.destroy(error);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    channel.once('close', () => signal.removeEventListener('abort', onAbort));
  });
}
