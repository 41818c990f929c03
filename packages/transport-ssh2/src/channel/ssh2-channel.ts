import { Duplex } from 'node:stream';
import { type Channel, type ExitStatus, Inbound, ViasshError } from '@viassh/core';
import type { RawChannel, RawChannelSink } from '../ssh2-private/raw-channel.ts';
import type { WireBacklog } from '../wire/wire-backlog.ts';
import type { ReceiveWindow } from './receive-window.ts';

/** How a channel is put on top of a raw one. */
export interface ChannelSetup {
  readonly type: string;
  readonly backlog: WireBacklog;
  readonly window: ReceiveWindow;
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
  readonly #window: ReceiveWindow;
  readonly #closeAfterBothEnds: boolean;
  readonly #inbound: Inbound = new Inbound(this, (bytes) => this.credit(bytes));
  #closedOnWire = false;
  #pendingWrite: (() => void) | undefined;
  readonly #gone: Promise<void>;
  #resolveGone!: () => void;

  constructor(raw: RawChannel, { type, backlog, window, closeAfterBothEnds }: ChannelSetup) {
    super({ allowHalfOpen: true, autoDestroy: closeAfterBothEnds });
    this.type = type;
    this.#raw = raw;
    this.#backlog = backlog;
    this.#window = window;
    this.#closeAfterBothEnds = closeAfterBothEnds;
    this.#gone = new Promise((resolve) => {
      this.#resolveGone = resolve;
    });
    this.on('error', () => undefined); // a lost connection must not end a process that does not look at this channel
  }

  /**
   * Resolves when nothing is to be expected of the channel any more, whether or not what came was read: it is off the
   * wire, or was destroyed before it came to its end; the far end may then take its time to close it.
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
      data: (chunk) => {
        if (this.#accepts(chunk)) this.#inbound.push(chunk);
      },
      stderr: (chunk, isStderr) => {
        if (!this.#accepts(chunk)) return;
        if (isStderr) this.receiveStderr(chunk);
        else this.credit(chunk.length);
      },
      eof: () => this.endReading(),
      exit: (_status: ExitStatus) => undefined,
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
    if (this.#closedOnWire) return void setImmediate(callback); // dropped; later, so that who writes while it is true comes to an end
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
      if (!this.#isComplete(error)) this.#resolveGone();
    }
    this.#window.release();
    callback(error ?? this.#inbound.loss ?? null);
  }

  /** `bytes` were consumed and may be granted again. */
  protected credit(bytes: number): void {
    const grant = this.#window.consumed(bytes);
    if (grant > 0 && !this.#closedOnWire) this.#raw.grant(grant);
  }

  /** Extended data for stderr; here nobody wants it. */
  protected receiveStderr(chunk: Buffer): void {
    this.credit(chunk.length);
  }

  /** The far end sent EOF. */
  protected endReading(): void {
    this.#inbound.end();
  }

  /** The channel is off the wire, by CHANNEL_CLOSE or with its connection. */
  protected leaveWire(): void {
    this.#closedOnWire = true;
    this.#settleWrite();
    this.#window.closed();
    this.#resolveGone();
  }

  protected closedByFarEnd(): void {
    if (this.#closedOnWire) return;
    this.endReading();
    this.leaveWire();
    if (this.readableEnded) this.destroy();
    else this.once('end', () => this.destroy());
  }

  #accepts(chunk: Buffer): boolean {
    if (this.#window.received(chunk.length)) return true;
    this.destroy(new ViasshError('PROTOCOL_ERROR', 'the server sent more than the window of the channel allows'));
    return false;
  }

  /** Both directions went to their end: the far end's CLOSE says that what we wrote was taken (sshd sends it after that). */
  #isComplete(error: Error | null): boolean {
    return error === null && this.#closeAfterBothEnds && this.writableFinished && this.readableEnded;
  }

  #settleWrite(): void {
    const callback = this.#pendingWrite;
    this.#pendingWrite = undefined;
    callback?.();
  }
}
