import { Duplex } from 'node:stream';
import { type Channel, type ExitStatus, ViasshError } from '@viassh/core';
import type { RawChannel, RawChannelSink } from '../ssh2-private/raw-channel.ts';
import type { WireBacklog } from '../wire/wire-backlog.ts';
import { Inbound } from './inbound.ts';

/** How a channel is put on top of a raw one. */
export interface ChannelSetup {
  readonly type: string;
  readonly backlog: WireBacklog;
  /** Close it ourselves when both directions ended. A session waits for the server: its exit status may come later. */
  readonly closeAfterBothEnds: boolean;
}

/**
 * core's Channel on a raw ssh2 channel. Bytes are granted to the server again when they were read, so that at the most
 * one window waits here. What is written after the far end closed is dropped, as a pipe to an ended ssh would.
 */
export class Ssh2Channel extends Duplex implements Channel {
  readonly type: string;
  readonly #raw: RawChannel;
  readonly #backlog: WireBacklog;
  readonly #inbound: Inbound = new Inbound(this, (bytes) => this.credit(bytes));
  #uncredited = 0;
  #closedOnWire = false;
  #pendingWrite: (() => void) | undefined;
  readonly #gone: Promise<void>;
  #resolveGone!: () => void;

  constructor(raw: RawChannel, { type, backlog, closeAfterBothEnds }: ChannelSetup) {
    super({ allowHalfOpen: true, autoDestroy: closeAfterBothEnds });
    this.type = type;
    this.#raw = raw;
    this.#backlog = backlog;
    this.#gone = new Promise((resolve) => {
      this.#resolveGone = resolve;
    });
    this.on('error', () => undefined); // a lost connection must not end a process that does not look at this channel
  }

  /**
   * Resolves when nothing is to be expected of the channel any more, whether or not what came was read: it is off the
   * wire, or destroyed; the far end may then take its time to close it.
   */
  get gone(): Promise<void> {
    return this.#gone;
  }

  /**
   * The connection ended: lost with an error, which comes behind what had arrived, or closed by us without. Does nothing
   * to a channel that was closed before.
   */
  connectionEnded(error?: ViasshError): void {
    if (this.#closedOnWire) return;
    this.leaveWire();
    if (error === undefined) this.destroy();
    else this.#inbound.fail(error);
  }

  /** What ssh2 tells goes here. */
  sink(): RawChannelSink {
    return {
      data: (chunk) => this.#inbound.push(chunk),
      stderr: (chunk) => this.credit(chunk.length),
      eof: () => this.endReading(),
      exit: (_status: ExitStatus) => undefined,
      overflow: () =>
        void this.destroy(
          new ViasshError('PROTOCOL_ERROR', 'the server sent more than the window of the channel allows'),
        ),
      closed: () => this.closedByFarEnd(),
    };
  }

  override read(size?: number): unknown {
    return this.#inbound.take(() => super.read(size));
  }

  override _read(): void {
    // what comes is pushed; there is nothing to ask for
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (this.#closedOnWire) return callback(); // also when it was lost: what is written is dropped
    this.#pendingWrite = callback;
    this.#raw.write(chunk, () => this.#backlog.whenLow(() => this.#settleWrite()));
  }

  override _final(callback: (error?: Error | null) => void): void {
    if (!this.#closedOnWire) this.#raw.eof();
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.#closedOnWire) {
      this.#raw.close();
      this.#settleWrite();
      this.#resolveGone();
    }
    callback(error ?? this.#inbound.loss ?? null);
  }

  /** `bytes` were consumed and may be granted again. */
  protected credit(bytes: number): void {
    this.#uncredited += bytes;
    if (this.#uncredited <= 0) return;
    this.#raw.grant(this.#uncredited);
    this.#uncredited = 0;
  }

  /** The far end sent EOF. */
  protected endReading(): void {
    this.#inbound.end();
  }

  /** The channel is off the wire, by CHANNEL_CLOSE or with its connection. */
  protected leaveWire(): void {
    this.#closedOnWire = true;
    this.#settleWrite();
    this.#resolveGone();
  }

  protected closedByFarEnd(): void {
    if (this.#closedOnWire) return;
    this.endReading();
    this.leaveWire();
    if (this.readableEnded) this.destroy();
    else this.once('end', () => this.destroy());
  }

  #settleWrite(): void {
    const callback = this.#pendingWrite;
    this.#pendingWrite = undefined;
    callback?.();
  }
}
