import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Channel, isViasshError, leave, readAndForget, toViasshError, ViasshError } from '@viassh/core';

/** Both sides of a connection through a forward. */
export interface Crossing {
  readonly channel: Channel;
  /** The side of this machine. */
  readonly socket: Duplex;
  /** For people: `host:port`, or a path. */
  readonly destination: string;
}

/** Who hears of the end of a {@link Passage}. */
export interface PassageWatcher {
  /** Nothing passes any more; `error`: it was cut off. Once. */
  closed(error: ViasshError | undefined): void;
  /** Nothing is left of it, behind `closed`. Once. */
  left(): void;
}

/**
 * Bytes and ends between a channel and a socket: EOF goes both ways by itself, and neither side is read faster than the
 * other takes. What `bridge()` of core does for one pair of streams, for ten thousand of them: no promise, no timer and no
 * signal as long as nothing happens, and listeners that live as long as the streams.
 *
 * Where it was cut off the socket is reset once it has what had arrived, so that nobody takes that for an end.
 */
export class Passage {
  readonly #channel: Channel;
  readonly #socket: Duplex;
  readonly #watcher: PassageWatcher;
  #closed = false;
  #failure: ViasshError | undefined;
  /** Bytes from the socket into the channel. */
  intoChannel = 0;
  /** Bytes from the channel into the socket. */
  intoSocket = 0;

  /** The streams must have been in nobody else's hands but to be read from; they may have ended or failed already. */
  constructor(channel: Channel, socket: Duplex, watcher: PassageWatcher) {
    this.#channel = channel;
    this.#socket = socket;
    this.#watcher = watcher;
  }

  /** Begins; may come to its end before it returns. */
  start(): void {
    const [channel, socket] = [this.#channel, this.#socket];
    const resumeSocket = (): void => void socket.resume();
    const resumeChannel = (): void => void channel.resume();
    const toChannel = (chunk: Buffer): void => {
      if (!channel.writable) return;
      this.intoChannel += chunk.length;
      if (channel.write(chunk)) return;
      socket.pause();
      channel.once('drain', resumeSocket);
    };
    const toSocket = (chunk: Buffer): void => {
      if (!socket.writable) return;
      this.intoSocket += chunk.length;
      if (socket.write(chunk)) return;
      channel.pause();
      socket.once('drain', resumeChannel);
    };
    channel.on('error', (error) => (this.#failure ??= toViasshError(error, 'CONNECTION_LOST')));
    channel.on('close', () => this.#channelClosed());
    channel.on('end', () => void (socket.writable && socket.end()));
    socket.on('error', (error) => (this.#failure ??= socketFailed(error)));
    socket.on('close', () => this.#socketClosed());
    socket.on('end', () => void (channel.writable && channel.end()));
    if (channel.errored !== null && channel.errored !== undefined) channel.emit('error', channel.errored);
    if (channel.closed || socket.closed) {
      // their events are over
      this.stop();
      if (channel.closed) this.#channelClosed();
      else this.#socketClosed();
      return;
    }
    channel.on('data', toSocket);
    socket.on('data', toChannel);
    if (socket.readableEnded) channel.end();
    else socket.resume(); // whoever had it before may have paused it
    if (channel.readableEnded) socket.end();
    else channel.resume();
  }

  /** Ends both sides at once. */
  stop(): void {
    this.#channel.destroy();
    this.#socket.destroy();
  }

  #channelClosed(): void {
    const socket = this.#socket;
    if (socket.closed) this.#finish();
    else if (this.#failure === undefined || socket.writableEnded) {
      // an end that is on its way is a true one, and nothing may be reset before it: libuv refuses, and Node forgets the socket
      if (socket.writable) socket.end();
      if (socket.writableFinished) this.#finish();
      else {
        readAndForget(socket); // while a slow client still takes what is for it
        socket.once('finish', () => this.#finish());
      }
    } else if (isViasshError(this.#failure, 'CONNECTION_LOST') && socket.writableLength > 0) {
      socket.write(Buffer.alloc(0), () => reset(socket)); // behind what had arrived
    } else reset(socket);
  }

  #socketClosed(): void {
    const [channel, socket] = [this.#channel, this.#socket];
    if (channel.closed) this.#finish();
    else if (!(socket.readableEnded && socket.writableFinished)) channel.destroy();
    // else it has said and heard all: what the channel still has to send goes its way, and its close comes
  }

  #finish(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watcher.closed(this.#failure);
    if (this.#socket.closed) this.#watcher.left();
    else void leave(this.#socket).then(() => this.#watcher.left());
  }
}

/** A Unix socket knows no reset. */
function reset(socket: Duplex & Partial<Pick<Socket, 'resetAndDestroy' | 'remoteAddress'>>): void {
  if (socket.remoteAddress === undefined) socket.destroy();
  else socket.resetAndDestroy?.();
}

function socketFailed(cause: NodeJS.ErrnoException): ViasshError {
  return new ViasshError('STREAM_FAILED', `the socket on this side failed: ${cause.message}`, { cause });
}
