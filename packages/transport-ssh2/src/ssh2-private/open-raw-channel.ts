import type { Client } from 'ssh2';
import { channelTable } from './channel-table.ts';
import { type Field, message, sendMessage } from './payload.ts';
import { RawChannel, type RawChannelSink } from './raw-channel.ts';

/** The longest packet that we take. ssh2 takes whole packets of 35,000 bytes at the most. */
export const packetSize: number = 32 * 1024;

/** What to open. */
export type ChannelOpening =
  | { type: 'session' }
  | { type: 'direct-tcpip'; dstIP: string; dstPort: number; srcIP: string; srcPort: number }
  | { type: 'direct-streamlocal@openssh.com'; socketPath: string }
  | { type: 'tun@openssh.com'; mode: 'point-to-point' | 'ethernet'; unit: number | undefined };

/** Told once, synchronously with the answer, so that nothing that follows it is missed. */
export interface OpeningAnswers {
  readonly onOpen: (raw: RawChannel) => RawChannelSink;
  /** `reason` is the number of RFC 4254 §5.1, 0 when the server closed the channel instead. */
  readonly onFailure: (reason: number, description: string) => void;
}

const nothing = (): void => undefined;

/** Opens a channel on which the server may send `window` bytes. When the connection ends meanwhile, no answer comes. */
export function openRawChannel(
  client: Client,
  opening: ChannelOpening,
  window: number,
  { onOpen, onFailure }: OpeningAnswers,
): void {
  const table = channelTable(client);
  const fail = (reason: number, description: string): void => {
    table.remove(id);
    onFailure(reason, description);
  };
  const id = table.add({
    confirmed(farEnd) {
      const raw = new RawChannel(client, farEnd, () => table.remove(id));
      table.add(raw.messages, id);
      raw.listen(onOpen(raw));
    },
    failed: fail,
    close: () => fail(0, ''),
    data: nothing,
    extendedData: nothing,
    windowAdjust: nothing,
    reply: nothing,
    request: nothing,
    eof: nothing,
  });
  if (table.live) sendMessage(client, message.channelOpen, opening.type, id, window, packetSize, ...fieldsOf(opening));
}

function fieldsOf(opening: ChannelOpening): Field[] {
  if (opening.type === 'session') return [];
  if (opening.type === 'direct-tcpip') return [opening.dstIP, opening.dstPort, opening.srcIP, opening.srcPort]; // RFC 4254 §7.2
  if (opening.type === 'direct-streamlocal@openssh.com') return [opening.socketPath, '', 0]; // PROTOCOL §2.4
  return [opening.mode === 'point-to-point' ? 1 : 2, opening.unit ?? 0x7fffffff]; // PROTOCOL §2.3: layer 3 or 2, any unit
}
