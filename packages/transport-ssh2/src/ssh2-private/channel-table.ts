import type { Client } from 'ssh2';

/** What the other side said of itself as it opened or confirmed a channel, RFC 4254 §5.1. */
export interface FarEndOfChannel {
  readonly id: number;
  readonly window: number;
  readonly packetSize: number;
}

/** Takes the messages of one channel, in the order of the wire. Called synchronously while a packet is parsed. */
export interface ChannelMessages {
  confirmed(farEnd: FarEndOfChannel): void;
  failed(reason: number, description: string): void;
  data(chunk: Buffer): void;
  extendedData(chunk: Buffer, type: number): void;
  windowAdjust(bytes: number): void;
  reply(accepted: boolean): void;
  request(name: string, wantReply: boolean, fields: unknown): void;
  eof(): void;
  close(): void;
}

/** A CHANNEL_OPEN of the server; the fields as ssh2 reads them. */
export interface ServerOpening {
  readonly type: string;
  readonly farEnd: FarEndOfChannel;
  readonly fields: {
    readonly destIP?: string;
    readonly destPort?: number;
    readonly srcIP?: string;
    readonly srcPort?: number;
    readonly socketPath?: string;
  };
}

/**
 * Our channels on a connection of ssh2. Its own know a fixed window, drop what comes for one that is used up, and are
 * two streams each; ours get their messages before ssh2 looks at them, and only take their numbers from it.
 */
export interface ChannelTable {
  /** False from the end of the connection on: nothing may be sent any more. */
  readonly live: boolean;
  /** A new one gets a number; one that has it already takes the place of what was there. */
  add(channel: ChannelMessages, id?: number): number;
  remove(id: number): void;
  /** Who hears of the server's openings; without one ssh2 refuses them. */
  onOpening: ((opening: ServerOpening) => void) | undefined;
}

const tables = new WeakMap<Client, ChannelTable>();

/** The table of a connection, from after its connect() on. */
export function channelTable(client: Client): ChannelTable {
  const known = tables.get(client);
  if (known !== undefined) return known;
  const made = makeTable(client);
  tables.set(client, made);
  return made;
}

function makeTable(client: Client): ChannelTable {
  const { _chanMgr: manager, _protocol: protocol } = client as unknown as Inside;
  const channels = new Map<number, ChannelMessages>();
  let live = true;
  const ended = (): void => void (live = false);
  client.prependOnceListener('end', ended);
  client.prependOnceListener('close', ended);
  const table: ChannelTable = {
    get live() {
      return live;
    },
    add(channel, id = manager.add(true)) {
      // `true` is no channel of its own: ssh2 leaves it alone
      channels.set(id, channel);
      return id;
    },
    remove(id) {
      if (channels.delete(id)) manager.remove(id);
    },
    onOpening: undefined,
  };
  lead(protocol._handlers, channels, table);
  return table;
}

/** Puts our own handlers before those of ssh2, which get what belongs to none of our channels. */
function lead(handlers: Handlers, channels: ReadonlyMap<number, ChannelMessages>, table: ChannelTable): void {
  const before = { ...handlers };
  handlers.CHANNEL_OPEN = (protocol, info) => {
    const { type, sender: id, window, packetSize, data: fields } = info;
    if (table.onOpening === undefined) before.CHANNEL_OPEN(protocol, info);
    else table.onOpening({ type, farEnd: { id, window, packetSize }, fields });
  };
  handlers.CHANNEL_OPEN_CONFIRMATION = (protocol, info) => {
    const { sender: id, window, packetSize } = info;
    const ours = channels.get(info.recipient);
    if (ours === undefined) before.CHANNEL_OPEN_CONFIRMATION(protocol, info);
    else ours.confirmed({ id, window, packetSize });
  };
  handlers.CHANNEL_OPEN_FAILURE = (protocol, recipient, reason, description) => {
    const ours = channels.get(recipient);
    if (ours === undefined) before.CHANNEL_OPEN_FAILURE(protocol, recipient, reason, description);
    else ours.failed(reason, description);
  };
  handlers.CHANNEL_DATA = (protocol, recipient, data) => {
    const ours = channels.get(recipient);
    if (ours === undefined) before.CHANNEL_DATA(protocol, recipient, data);
    else ours.data(data);
  };
  handlers.CHANNEL_EXTENDED_DATA = (protocol, recipient, data, type) => {
    const ours = channels.get(recipient);
    if (ours === undefined) before.CHANNEL_EXTENDED_DATA(protocol, recipient, data, type);
    else ours.extendedData(data, type);
  };
  handlers.CHANNEL_WINDOW_ADJUST = (protocol, recipient, bytes) => {
    const ours = channels.get(recipient);
    if (ours === undefined) before.CHANNEL_WINDOW_ADJUST(protocol, recipient, bytes);
    else ours.windowAdjust(bytes);
  };
  handlers.CHANNEL_REQUEST = (protocol, recipient, name, wantReply, fields) => {
    const ours = channels.get(recipient);
    if (ours === undefined) before.CHANNEL_REQUEST(protocol, recipient, name, wantReply, fields);
    else ours.request(name, wantReply, fields);
  };
  const plain = (name: 'CHANNEL_SUCCESS' | 'CHANNEL_FAILURE' | 'CHANNEL_EOF' | 'CHANNEL_CLOSE', tell: Tell): void => {
    handlers[name] = (protocol, recipient) => {
      const ours = channels.get(recipient);
      if (ours === undefined) before[name](protocol, recipient);
      else tell(ours);
    };
  };
  plain('CHANNEL_SUCCESS', (ours) => ours.reply(true));
  plain('CHANNEL_FAILURE', (ours) => ours.reply(false));
  plain('CHANNEL_EOF', (ours) => ours.eof());
  plain('CHANNEL_CLOSE', (ours) => ours.close());
}

type Tell = (ours: ChannelMessages) => void;

interface OpenInfo {
  readonly type: string;
  readonly sender: number;
  readonly window: number;
  readonly packetSize: number;
  readonly data: ServerOpening['fields'];
}

interface Handlers {
  CHANNEL_OPEN(protocol: unknown, info: OpenInfo): void;
  CHANNEL_OPEN_CONFIRMATION(
    protocol: unknown,
    info: { readonly recipient: number; readonly sender: number; readonly window: number; readonly packetSize: number },
  ): void;
  CHANNEL_OPEN_FAILURE(protocol: unknown, recipient: number, reason: number, description: string): void;
  CHANNEL_DATA(protocol: unknown, recipient: number, data: Buffer): void;
  CHANNEL_EXTENDED_DATA(protocol: unknown, recipient: number, data: Buffer, type: number): void;
  CHANNEL_WINDOW_ADJUST(protocol: unknown, recipient: number, bytes: number): void;
  CHANNEL_REQUEST(protocol: unknown, recipient: number, name: string, wantReply: boolean, fields: unknown): void;
  CHANNEL_SUCCESS(protocol: unknown, recipient: number): void;
  CHANNEL_FAILURE(protocol: unknown, recipient: number): void;
  CHANNEL_EOF(protocol: unknown, recipient: number): void;
  CHANNEL_CLOSE(protocol: unknown, recipient: number): void;
}

interface Inside {
  readonly _chanMgr: { add(value: true): number; remove(id: number): void };
  readonly _protocol: { readonly _handlers: Handlers };
}
