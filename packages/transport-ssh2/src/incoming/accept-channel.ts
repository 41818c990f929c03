import type { ViasshError } from '@viassh/core';
import type { ChannelHost } from '../channel-host.ts';
import { Ssh2Channel } from '../channel/ssh2-channel.ts';
import type { RawServerOpening } from '../ssh2-private/server-opening.ts';

/** Confirms what the server wants to open. On a connection that has ended the channel is one that was lost. */
export function acceptChannel(opening: RawServerOpening, host: ChannelHost): Ssh2Channel {
  const { backlog, windows, ended } = host;
  const window = windows.open();
  let channel!: Ssh2Channel;
  opening.accept(window.size, (raw) => {
    channel = new Ssh2Channel(raw, { type: opening.type, backlog, window, closeAfterBothEnds: true });
    return channel.sink();
  });
  host.onOpen(channel);
  if (ended.aborted) channel.connectionEnded(ended.reason as ViasshError);
  return channel;
}
