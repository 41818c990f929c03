import type { Client } from 'ssh2';
import { channelTable, type ServerOpening } from './channel-table.ts';
import { packetSize } from './open-raw-channel.ts';
import { message, sendMessage } from './payload.ts';
import { RawChannel, type RawChannelSink } from './raw-channel.ts';

/** A channel that the server wants to open: one of the two is to be called, once. */
export interface RawServerOpening extends Pick<ServerOpening, 'type' | 'fields'> {
  /** Confirms it; the server may send `window` bytes. What it sends goes to the sink from the first byte on. */
  accept(window: number, onOpen: (raw: RawChannel) => RawChannelSink): void;
  /** `reason` as in RFC 4254 §5.1. */
  refuse(reason: number, description: string): void;
}

/** Has `listener` told of every channel that the server wants to open. */
export function onServerOpening(client: Client, listener: (opening: RawServerOpening) => void): void {
  const table = channelTable(client);
  table.onOpening = ({ type, fields, farEnd }) =>
    listener({
      type,
      fields,
      accept(window, onOpen) {
        // a program waits for each answer of its display, and there are few of them
        const raw = new RawChannel(client, farEnd, () => table.remove(id), type === 'x11');
        const id = table.add(raw.messages);
        raw.listen(onOpen(raw));
        if (table.live) sendMessage(client, message.channelOpenConfirmation, farEnd.id, id, window, packetSize);
      },
      refuse(reason, description) {
        if (table.live) sendMessage(client, message.channelOpenFailure, farEnd.id, reason, description, '');
      },
    });
}
