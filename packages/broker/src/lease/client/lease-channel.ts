import { Duplex } from 'node:stream';
import { type Channel, Inbound, ViasshError } from '@viassh/core';
import { errorOf } from '../wire/failure.ts';
import { FrameKind, MOST_DATA } from '../wire/frame.ts';
import type { FrameWire } from '../wire/frame-wire.ts';
import { jsonBody } from '../wire/json-body.ts';
import { ReceiveWindow, SendWindow } from '../wire/window.ts';
import type { LeasedId } from './leased-id.ts';

/** How a channel is put on a lease. */
export interface LeaseChannelSetup {
  readonly type: string;
  readonly wire: FrameWire;
  readonly id: number;
  /** What the broker may send at first, bytes. */
  readonly ownWindow: number;
  readonly brokerWindow: number;
  /** Nothing comes under this id any more, or nobody wants it. */
  readonly forget: () => void;
}

/** core's Channel on a lease. What is written after the far end closed is dropped, as a pipe to an ended ssh would. */
export class LeaseChannel extends Duplex implements Channel, LeasedId {
  readonly type: string;
  protected readonly setup: LeaseChannelSetup;
  readonly #window: ReceiveWindow;
  readonly #toBroker: SendWindow;
  readonly #inbound: Inbound = new Inbound(this, (bytes) => this.#consumed(bytes));
  readonly #gone = Promise.withResolvers<void>();
  #closedThere = false;
  #loss: ViasshError | undefined;
  #pending: { rest: Buffer; readonly done: () => void } | undefined;

  constructor(setup: LeaseChannelSetup) {
    super({ autoDestroy: false });
    this.type = setup.type;
    this.setup = setup;
    this.#window = new ReceiveWindow(setup.ownWindow);
    this.#toBroker = new SendWindow(setup.brokerWindow);
    this.on('error', () => undefined); // a lost connection must not end a process that does not look at this channel
  }

  /** Resolves when the far end has closed it, read or not, or it was destroyed before that. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  frame(kind: number, body: Buffer): void {
    if (kind === FrameKind.data) {
      this.#window.received(body.length);
      this.#inbound.push(body);
    } else if (kind === FrameKind.window) {
      this.#toBroker.granted(body);
      this.#flush();
    } else if (kind === FrameKind.eof) {
      this.#inbound.end();
    } else if (kind === FrameKind.close) {
      this.closedThere(body.length === 0 ? undefined : errorOf(jsonBody(body)));
      this.forgetWhenDone();
    } else {
      throw new ViasshError('PROTOCOL_ERROR', `a frame of kind ${kind} is not for a ${this.type} channel`);
    }
  }

  /** What had arrived at the broker comes behind this; nothing goes out any more. */
  lost(error: ViasshError): void {
    this.#loss ??= error;
    this.#settleWrite();
  }

  ended(error: ViasshError | undefined): void {
    if (error === undefined) this.destroy();
    else this.closedThere(error);
  }

  override read(size?: number): unknown {
    return this.#inbound.take(() => super.read(size));
  }

  override _read(): void {
    // what comes is pushed; there is nothing to ask for
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#isDeaf) return void setImmediate(done); // dropped; later, so that who writes while it is true comes to an end
    this.#pending = { rest: chunk, done };
    this.#flush();
  }

  override _final(done: (error?: Error | null) => void): void {
    if (!this.#isDeaf) this.setup.wire.send(FrameKind.eof, this.setup.id);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#closedThere) {
      this.#closedThere = true;
      this.setup.wire.send(FrameKind.close, this.setup.id);
      this.setup.forget();
      this.#gone.resolve();
    }
    this.#settleWrite();
    done(error ?? this.#inbound.loss ?? this.#loss ?? null);
  }

  /** The far end closed it, or the lease has ended. */
  protected get isClosedThere(): boolean {
    return this.#closedThere;
  }

  protected get loss(): ViasshError | undefined {
    return this.#loss;
  }

  /** Behind the last of its bytes: the far end closed it, or it failed. */
  protected closedThere(error: ViasshError | undefined): void {
    if (this.#closedThere) return;
    this.#closedThere = true;
    this.#settleWrite();
    this.#gone.resolve();
    const failure = error ?? this.#loss;
    if (failure !== undefined) return this.#inbound.fail(failure);
    this.#inbound.end();
    if (this.readableEnded) this.destroy();
    else this.once('end', () => this.destroy());
  }

  /** A session has more to come. */
  protected forgetWhenDone(): void {
    this.setup.forget();
  }

  get #isDeaf(): boolean {
    return this.#closedThere || this.#loss !== undefined;
  }

  /** Bytes wait no more and may be granted again. */
  #consumed(bytes: number): void {
    const grant = this.#window.consumed(bytes);
    if (grant > 0 && !this.#closedThere) this.setup.wire.sendNumber(FrameKind.window, this.setup.id, grant);
  }

  #flush(): void {
    const pending = this.#pending;
    if (pending === undefined || this.#isDeaf) return;
    const { wire, id } = this.setup;
    while (pending.rest.length > 0) {
      const size = Math.min(this.#toBroker.room, MOST_DATA, pending.rest.length);
      if (size === 0) return;
      this.#toBroker.took(size);
      const part = pending.rest.subarray(0, size);
      pending.rest = pending.rest.subarray(size);
      // The buffer is the caller's again when the write is done: not before the system has the last of it.
      if (pending.rest.length > 0) wire.send(FrameKind.data, id, part);
      else wire.send(FrameKind.data, id, part, () => this.#settleWrite(pending));
    }
  }

  #settleWrite(which: { readonly done: () => void } | undefined = this.#pending): void {
    if (which === undefined || which !== this.#pending) return;
    this.#pending = undefined;
    which.done();
  }
}
