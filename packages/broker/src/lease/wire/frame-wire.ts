import type { Duplex } from 'node:stream';
import { gatherWrites, isViasshError, ViasshError } from '@viassh/core';
import { type FrameKind, frameHead } from './frame.ts';
import { FrameReader, type FrameSink } from './frame-reader.ts';

/** Data is sent while less than this waits in the socket. */
const LOW = 256 * 1024;
/** So much of answers may wait for a side that asks and does not read; then nothing more is heard of it. */
const MOST_UNREAD = 4 * 1024 * 1024;

/** Who hears what comes over a {@link FrameWire}. */
export interface WireListener {
  /** What it throws is the end of the wire. */
  readonly frame: FrameSink;
  /** Called once, when nothing more comes: with an error unless the other side ended it between two frames. */
  readonly ended: (error: ViasshError | undefined) => void;
}

/** Frames over a socket. What is sent when it has ended is dropped. */
export class FrameWire {
  readonly #socket: Duplex;
  readonly #listener: WireListener;
  readonly #reader: FrameReader;
  readonly #holdsBack: boolean;
  #ended = false;
  #forRoom: (() => void)[] = [];

  /**
   * `holdsBack`: reads nothing while more than 4 MiB of answers wait for the other side. One of the two sides only, or
   * both could wait for each other.
   */
  constructor(socket: Duplex, { holdsBack }: { readonly holdsBack: boolean }, listener: WireListener) {
    this.#socket = socket;
    this.#listener = listener;
    this.#holdsBack = holdsBack;
    this.#reader = new FrameReader(listener.frame);
    socket.on('error', () => undefined); // `close` follows, and is what counts
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.once('end', () => {
      this.#end(this.#reader.isWithin ? new ViasshError('PROTOCOL_ERROR', 'the lease ended in a frame') : undefined);
      socket.end();
    });
    socket.once('close', () => this.#end(undefined));
    socket.on('drain', () => this.#roomCame());
  }

  get isLow(): boolean {
    return this.#ended || this.#socket.writableLength < Math.max(LOW, this.#socket.writableHighWaterMark);
  }

  /** Runs it when less than 256 KiB wait, at once where that is so or the wire has ended. */
  whenLow(run: () => void): void {
    if (this.isLow) run();
    else this.#forRoom.push(run);
  }

  /** The body is not copied: it is the wire's from now on. `sent` is called when the system has it, or nobody will. */
  send(kind: FrameKind, id: number, body?: Buffer, sent?: () => void): void {
    if (this.#ended || !this.#socket.writable) return void (sent === undefined ? undefined : setImmediate(sent));
    gatherWrites(this.#socket);
    const head = frameHead(kind, id, body?.length ?? 0);
    const done = sent && ((): void => sent());
    if (body === undefined || body.length === 0) this.#socket.write(head, done);
    else {
      this.#socket.write(head);
      this.#socket.write(body, done);
    }
    if (this.#holdsBack && this.#socket.writableLength > MOST_UNREAD && !this.#socket.isPaused()) {
      this.#socket.pause();
      this.#forRoom.push(() => this.#socket.resume());
    }
  }

  sendJson(kind: FrameKind, id: number, body: unknown): void {
    this.send(kind, id, Buffer.from(JSON.stringify(body)));
  }

  sendText(kind: FrameKind, id: number, body: string): void {
    this.send(kind, id, Buffer.from(body));
  }

  sendNumber(kind: FrameKind, id: number, body: number): void {
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeUInt32BE(body);
    this.send(kind, id, bytes);
  }

  /** What was sent goes out, then the socket ends. */
  end(): void {
    this.#socket.end();
  }

  /** At once. */
  destroy(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    if (this.#ended) return;
    try {
      this.#reader.read(chunk);
    } catch (error) {
      this.#end(isViasshError(error) ? error : new ViasshError('INTERNAL', String(error), { cause: error }));
      this.#socket.destroy();
    }
  }

  #end(error: ViasshError | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#roomCame();
    this.#listener.ended(error);
  }

  #roomCame(): void {
    for (const run of this.#forRoom.splice(0)) run();
  }
}
