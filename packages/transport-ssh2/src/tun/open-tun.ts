import { abortedError, type PacketChannel, type TunRequest, ViasshError } from '@viassh/core';
import type { ChannelHost } from '../channel-host.ts';
import { serverIdentification } from '../ssh2-private/handshake.ts';
import { openRawChannel } from '../ssh2-private/open-raw-channel.ts';
import { translateOpenFailure } from '../translate-error.ts';
import { TunChannel, tunWindow } from './tun-channel.ts';

/**
 * Opens a tun channel.
 *
 * @throws ViasshError CHANNEL_REFUSED, OPTION_INVALID, ABORTED; when the connection ends, why it did
 */
export function openTun(
  host: ChannelHost,
  { mode, unit, signal }: TunRequest,
  onOpen: (channel: TunChannel) => void,
): Promise<PacketChannel> {
  if (unit !== undefined && (!Number.isInteger(unit) || unit < 0 || unit > 0x7ffffffe))
    throw new ViasshError('OPTION_INVALID', `the number of a tun device is a whole one, not ${String(unit)}`);
  const { client, backlog, windows } = host;
  const until = signal === undefined ? host.ended : AbortSignal.any([signal, host.ended]);
  return new Promise((resolve, reject) => {
    if (until.aborted) return reject(abortedError(until.reason));
    const onAbort = (): void => reject(abortedError(until.reason));
    until.addEventListener('abort', onAbort, { once: true });
    openRawChannel(client, { type: 'tun@openssh.com', mode, unit }, tunWindow, {
      onOpen(raw) {
        until.removeEventListener('abort', onAbort);
        const channel = new TunChannel(raw, {
          mode,
          backlog,
          countsHead: serverIdentification(client)?.includes('OpenSSH') === true,
          release: windows.hold(tunWindow),
        });
        onOpen(channel);
        if (until.aborted) void channel.close();
        else resolve(channel);
        return channel.sink();
      },
      onFailure(reason, description) {
        until.removeEventListener('abort', onAbort);
        reject(translateOpenFailure(reason, description, { type: 'tun@openssh.com', mode, unit }));
      },
    });
  });
}
