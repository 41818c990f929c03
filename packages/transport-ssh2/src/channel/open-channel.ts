import { abortedError } from '@viassh/core';
import type { Client } from 'ssh2';
import { type ChannelOpening, openRawChannel } from '../ssh2-private/raw-channel.ts';
import { translateOpenFailure } from '../translate-error.ts';
import type { WireBacklog } from '../wire/wire-backlog.ts';
import { Ssh2Channel } from './ssh2-channel.ts';
import { Ssh2SessionChannel } from './ssh2-session-channel.ts';

/** What {@link openChannel} needs beside the opening itself. */
export interface OpenChannelOptions {
  readonly backlog: WireBacklog;
  readonly signal?: AbortSignal | undefined;
  /** Called with each channel as it opens, also with one that comes after the abort and is closed at once. */
  readonly onOpen?: ((channel: Ssh2Channel) => void) | undefined;
}

/** A session has more than other channels. */
export type ChannelFor<T extends ChannelOpening> = T extends { type: 'session' } ? Ssh2SessionChannel : Ssh2Channel;

/**
 * Opens a channel. When it was aborted meanwhile, the channel that the server opens afterwards is closed at once.
 *
 * @throws ViasshError CHANNEL_REFUSED, ABORTED. A connection that ends is the caller's to notice.
 */
export function openChannel<T extends ChannelOpening>(
  client: Client,
  opening: T,
  { backlog, signal, onOpen }: OpenChannelOptions,
): Promise<ChannelFor<T>> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(abortedError(signal.reason));
    let aborted = false;
    const onAbort = (): void => {
      aborted = true;
      reject(abortedError(signal?.reason));
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    openRawChannel(
      client,
      opening,
      (raw) => {
        signal?.removeEventListener('abort', onAbort);
        const channel =
          opening.type === 'session'
            ? new Ssh2SessionChannel(raw, backlog)
            : new Ssh2Channel(raw, { type: opening.type, backlog, closeAfterBothEnds: true });
        onOpen?.(channel);
        if (aborted) channel.destroy();
        else resolve(channel as ChannelFor<T>);
        return channel.sink();
      },
      (error) => {
        signal?.removeEventListener('abort', onAbort);
        reject(translateOpenFailure(error, opening));
      },
    );
  });
}
