import { abortedError } from '@viassh/core';
import type { Client } from 'ssh2';
import { type ChannelOpening, openRawChannel } from '../ssh2-private/open-raw-channel.ts';
import { translateOpenFailure } from '../translate-error.ts';
import type { WireBacklog } from '../wire/wire-backlog.ts';
import { ConnectionWindows } from './connection-windows.ts';
import { Ssh2Channel } from './ssh2-channel.ts';
import { Ssh2SessionChannel } from './ssh2-session-channel.ts';

/** What {@link openChannel} needs beside the opening itself. */
export interface OpenChannelOptions {
  readonly backlog: WireBacklog;
  /** Left out: the channel is the only one of its connection. */
  readonly windows?: ConnectionWindows;
  readonly signal?: AbortSignal | undefined;
  /** Called with each channel as it opens, also with one that comes after the abort and is closed at once. */
  readonly onOpen?: ((channel: Ssh2Channel) => void) | undefined;
  /** Both sides have closed it. */
  readonly onClosed?: (() => void) | undefined;
}

/** A stream of bytes; packets are {@link openTunChannel}'s. */
export type StreamOpening = Exclude<ChannelOpening, { type: 'tun@openssh.com' }>;

/** A session has more than other channels. */
export type ChannelFor<T extends StreamOpening> = T extends { type: 'session' } ? Ssh2SessionChannel : Ssh2Channel;

/**
 * Opens a channel. When it was aborted meanwhile, the channel that the server opens afterwards is closed at once.
 *
 * @throws ViasshError CHANNEL_REFUSED, ABORTED. A connection that ends is the caller's to notice.
 */
export function openChannel<T extends StreamOpening>(
  client: Client,
  opening: T,
  { backlog, windows = new ConnectionWindows(), signal, onOpen, onClosed }: OpenChannelOptions,
): Promise<ChannelFor<T>> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(abortedError(signal.reason));
    let aborted = false;
    const onAbort = (): void => {
      aborted = true;
      reject(abortedError(signal?.reason));
    };
    const answered = (): void => {
      windows.answeredAfter(performance.now() - asked);
      signal?.removeEventListener('abort', onAbort);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    const window = windows.open();
    const asked = performance.now();
    openRawChannel(client, opening, window.size, {
      onOpen(raw) {
        answered();
        const channel =
          opening.type === 'session'
            ? new Ssh2SessionChannel(raw, { backlog, window })
            : new Ssh2Channel(raw, { type: opening.type, backlog, window, closeAfterBothEnds: true });
        onOpen?.(channel);
        if (aborted) channel.destroy();
        else resolve(channel as ChannelFor<T>);
        const sink = channel.sink();
        return {
          ...sink,
          closed() {
            onClosed?.();
            sink.closed();
          },
        };
      },
      onFailure(reason, description) {
        answered();
        window.release();
        reject(translateOpenFailure(reason, description, opening));
      },
    });
  });
}
