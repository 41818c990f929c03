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
  const write = channel._write.bind(channel);
  const writev = channel._writev?.bind(channel);
  channel._write = (chunk: Buffer, encoding, callback) => {
    counter.sent += chunk.length;
    write(chunk, encoding, callback);
  };
  if (writev === undefined) return;
  channel._writev = (chunks, callback) => {
    for (const { chunk } of chunks) counter.sent += (chunk as Buffer).length;
    writev(chunks, callback);
  };
}

function countPushes(stream: Pick<Channel, 'push'>, counter: TrafficCounter): void {
  const push = stream.push.bind(stream);
  stream.push = (chunk: Buffer | null, encoding) => {
    if (chunk !== null) counter.received += chunk.length;
    return push(chunk, encoding);
  };
}
