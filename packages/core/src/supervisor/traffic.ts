import type { Channel, SessionChannel } from '../connection/channel.ts';

/** What went through a connection, counted over all the connections that it was. */
export interface Traffic {
  /** Channels that are open now. */
  readonly open: number;
  /** Channels that were opened so far, by either side. */
  readonly channels: number;
  /** Bytes from us, handed to the connection; of stdout and stderr together, from the far end. */
  readonly sent: number;
  readonly received: number;
}

/** A {@link Traffic} that is being counted. */
export type TrafficCounter = { -readonly [K in keyof Traffic]: Traffic[K] };

/** Counts a channel's bytes. Puts nothing between it and its user: the channel stays the very same stream. */
export function countBytes(channel: Channel, counter: TrafficCounter): void {
  counter.received += channel.readableLength; // came with the opening
  countPushes(channel, counter);
  const stderr = (channel as Partial<SessionChannel>).stderr;
  if (stderr !== undefined) {
    counter.received += stderr.readableLength;
    countPushes(stderr, counter);
  }
  const { _write: write, _writev: writev } = channel;
  channel._write = function (chunk: Buffer, encoding, callback): void {
    counter.sent += chunk.length;
    write.call(this, chunk, encoding, callback);
  };
  if (writev === undefined || writev === null) return;
  channel._writev = function (chunks, callback): void {
    for (const { chunk } of chunks) counter.sent += (chunk as Buffer).length;
    writev.call(this, chunks, callback);
  };
}

function countPushes(stream: Pick<Channel, 'push'>, counter: TrafficCounter): void {
  const { push } = stream;
  stream.push = function (chunk: Buffer | null, encoding): boolean {
    if (chunk !== null) counter.received += chunk.length;
    return push.call(this, chunk, encoding);
  };
}
