import { Duplex } from 'node:stream';
import type { Channel } from '@viassh/core';
import { message } from '../mux/messages.ts';
import type { PacketLink } from '../mux/packet-link.ts';
import type { WireReader } from '../mux/wire.ts';
import { Inbound } from './inbound.ts';
import type { ChannelInit, ProxyEndpoint } from './proxy-endpoint.ts';
import { ReceiveWindow, type SendWindow } from './window.ts';

/** A channel over the mux proxy: core's Channel, with the SSH window as its backpressure. */
export class ProxyChannel extends Duplex implements Channel, ProxyEndpoint {
  /** Our number for it. */
  readonly id: number;
  readonly type: string;
  protected readonly link: PacketLink;
  protected readonly remoteId: number;
  protected readonly receiveWindow: ReceiveWindow;
  readonly #inbound: Inbound;
  readonly #sendWindow: SendWindow;
  readonly #onGone: () => void;
  #closeSent = false;
  #closeReceived = false;
  #eofReceived = false;
  /** The far end reads no more: what is written now goes nowhere. */
  #farReaderGone = false;
  #gone = false;
  #loss: Error | undefined;

  constructor({ id, type, link, remoteId, sendWindow, onGone }: ChannelInit) {
    // Ended both ways is not over yet: the exit status comes behind it.
    super({ allowHalfOpen: true, autoDestroy: false, highWaterMark: 256 * 1024 });
    this.id = id;
    this.type = type;
    this.link = link;
    this.remoteId = remoteId;
    this.receiveWindow = new ReceiveWindow((bytes) => {
      if (!this.#closeSent) link.send(message.channelWindowAdjust, remoteId, bytes);
    });
    this.#inbound = new Inbound(this, this.receiveWindow);
    this.#sendWindow = sendWindow;
    this.#onGone = onGone;
    this.once('end', () => this.#settle());
    this.on('error', () => undefined); // a loss that nobody listens for must not end the process
  }

  receive(type: number, fields: WireReader): void {
    if (type === message.channelData) this.#receiveData(fields.bytes());
    else if (type === message.channelWindowAdjust) this.#sendWindow.granted(fields.uint32());
    else if (type === message.channelEof) this.receiveEof();
    else if (type === message.channelClose) this.receiveClose();
    else if (type === message.channelRequest) this.#receiveRequest(fields.text(), fields.boolean(), fields);
  }

  abandon(reason: Error | undefined): void {
    this.#closeSent = true;
    this.#closeReceived = true;
    this.#farReaderGone = true;
    this.#loss = reason;
    this.#leave(reason);
    this.#sendWindow.wake();
    if (reason === undefined) this.destroy();
    else this.#settle();
  }

  /** What had arrived before a loss is read first; the error comes behind it. */
  override read(size?: number): unknown {
    const bytes: unknown = super.read(size);
    if (this.#loss !== undefined) queueMicrotask(() => this.#settle());
    return bytes;
  }

  override _read(): void {
    this.#inbound.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#sendAll([chunk], done);
  }

  override _writev(entries: readonly { readonly chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#sendAll(
      entries.map(({ chunk }) => chunk),
      done,
    );
  }

  override _final(done: () => void): void {
    if (!this.#closeSent && !this.#farReaderGone) this.link.send(message.channelEof, this.remoteId);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#sendClose();
    this.#farReaderGone = true;
    const reason = error ?? this.#loss;
    this.#leave(reason);
    this.#sendWindow.wake();
    done(reason ?? null);
  }

  /** A channel request from the far end; true when it was understood. */
  protected receiveRequest(_name: string, _fields: WireReader): boolean {
    return false;
  }

  protected receiveEof(): void {
    if (this.#eofReceived) return;
    this.#eofReceived = true;
    this.#inbound.push(null);
  }

  /** The channel is of no more use: `reason` when that is a failure. Called once. */
  protected left(_reason: Error | undefined): void {
    this.#onGone();
  }

  protected receiveClose(): void {
    if (this.#closeReceived) return;
    this.#closeReceived = true;
    this.#farReaderGone = true;
    this.receiveEof();
    this.#sendClose();
    this.#leave(undefined);
    this.#sendWindow.wake();
    this.#settle();
  }

  #leave(reason: Error | undefined): void {
    if (this.#gone) return;
    this.#gone = true;
    this.left(reason);
  }

  /** Nothing more comes and all bytes were taken: then the stream is at its end, whatever the writer still holds. */
  #settle(): void {
    if (this.#loss !== undefined) {
      const endIsOnItsWay = this.#eofReceived && this.readableFlowing === true && !this.readableEnded;
      if (!endIsOnItsWay && this.#inbound.isEmpty) this.destroy(this.#loss);
    } else if (this.#closeReceived && this.readableEnded) this.destroy();
  }

  /** Sends the chunks as far as the window goes, then waits for more of it; `done` when the kernel has the last. */
  #sendAll(chunks: Buffer[], done: () => void): void {
    const sendSome = (): void => {
      if (this.#farReaderGone || this.#closeSent) return void setImmediate(done); // dropped; later, or a writer would never be held back
      this.link.together(() => this.#sendWithinWindow(chunks, done));
      if (chunks.length > 0) this.#sendWindow.wait(sendSome);
    };
    sendSome();
  }

  #sendWithinWindow(chunks: Buffer[], done: () => void): void {
    for (let chunk = chunks[0]; chunk !== undefined; chunk = chunks[0]) {
      const taken = chunk.length === 0 ? 0 : this.#sendWindow.take(chunk.length);
      if (taken === 0 && chunk.length > 0) return;
      if (taken === chunk.length) chunks.shift();
      else chunks[0] = chunk.subarray(taken);
      this.link.sendData(this.remoteId, chunk.subarray(0, taken), chunks.length === 0 ? done : undefined);
    }
  }

  #sendClose(): void {
    if (this.#closeSent) return;
    this.#closeSent = true;
    this.link.send(message.channelClose, this.remoteId);
  }

  #receiveData(bytes: Buffer): void {
    if (!this.receiveWindow.received(bytes.length)) throw new RangeError('the far end sent more than its window');
    this.#inbound.push(bytes);
  }

  #receiveRequest(name: string, wantsReply: boolean, fields: WireReader): void {
    if (name === 'eow@openssh.com') {
      this.#farReaderGone = true; // PROTOCOL §2.1: the far end's reader is gone, its output may go on
      this.#sendWindow.wake();
    } else if (!this.receiveRequest(name, fields) && wantsReply) this.link.send(message.channelFailure, this.remoteId);
  }
}
