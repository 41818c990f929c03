import { Duplex, type Readable } from 'node:stream';
import type { Channel } from '@viassh/core';
import { ExtendedData } from './extended-data.ts';
import type { FarEnd } from './far-end.ts';
import { Inbox } from './inbox.ts';
import { Window } from './window.ts';

const MAXIMUM_PACKET_SIZE = 32 * 1024;

/** The near side of a channel in memory, with both windows. The far side is a {@link FarEnd}. */
export class MemoryChannel extends Duplex implements Channel {
  readonly type: string;
  readonly #far: FarEnd;
  readonly #incoming: Window;
  readonly #outgoing: Window;
  readonly #data: Inbox;
  readonly #extended: ExtendedData;
  #farClosed = false;
  #left = false;

  /** `windowSize` in bytes, for each direction. */
  constructor(type: string, far: FarEnd, windowSize: number) {
    super({ autoDestroy: false });
    this.type = type;
    this.#far = far;
    this.#incoming = new Window(windowSize);
    this.#outgoing = new Window(windowSize);
    const grant = (bytes: number): void => this.#incoming.give(bytes);
    this.#data = new Inbox(this, grant);
    this.#extended = new ExtendedData(grant);
    this.on('error', () => undefined);
    this.once('end', () => this.#closeWhenDone());
    void this.#serve();
  }

  /** Extended data; shares the window. */
  get stderr(): Readable {
    return this.#extended;
  }

  /** The connection is gone: what had arrived may still be read, then comes the error. */
  lose(error: Error): void {
    if (this.#farClosed) return;
    this.#data.fail(error);
    if (!this.#extended.inbox.ended) this.#extended.inbox.fail(error);
    this.#leave();
  }

  override read(size?: number): unknown {
    const chunk: unknown = super.read(size);
    this.#data.taken();
    return chunk;
  }

  override _read(): void {
    this.#data.want();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    void this.#send(chunk, done);
  }

  override _final(done: () => void): void {
    this.#far.input.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#leave();
    // After an orderly end what is left of stderr may still be read, and after a loss what arrived of it.
    if (!this.#farClosed && this.#data.loss === undefined) this.#extended.destroy(error ?? undefined);
    done(error ?? this.#data.loss ?? null);
  }

  #leave(): void {
    this.#incoming.close();
    this.#outgoing.close();
    if (!this.#farClosed && !this.#left) this.#far.close();
    this.#left = true;
  }

  /** Never rejects; a channel that was closed takes and forgets. */
  async #send(chunk: Buffer, done: () => void): Promise<void> {
    for (let offset = 0; offset < chunk.length; ) {
      const size = await this.#outgoing.take(Math.min(MAXIMUM_PACKET_SIZE, chunk.length - offset));
      if (size === 0) break;
      const packet = Buffer.from(chunk.subarray(offset, offset + size));
      // What the far end takes no more is thrown away and granted, as sshd does.
      if (this.#far.input.writable) this.#far.input.write(packet, () => this.#outgoing.give(size));
      else this.#outgoing.give(size);
      offset += size;
    }
    done();
  }

  async #serve(): Promise<void> {
    const outputs = [this.#pump(this.#far.output, this.#data)];
    if (this.#far.error !== undefined) outputs.push(this.#pump(this.#far.error, this.#extended.inbox));
    await Promise.all(outputs);
    this.#data.put(null); // EOF is one message for both streams
    this.#extended.inbox.put(null);
    await this.#far.done;
    this.#farClosed = true;
    this.#outgoing.close();
    this.#closeWhenDone();
  }

  async #pump(source: Readable, inbox: Inbox): Promise<void> {
    try {
      // Its end is not that of the way back: a socket would lose there what it has yet to send.
      for await (const chunk of source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        for (let offset = 0; offset < chunk.length; ) {
          const size = await this.#incoming.take(Math.min(MAXIMUM_PACKET_SIZE, chunk.length - offset));
          if (size === 0) return;
          inbox.put(chunk.subarray(offset, offset + size));
          offset += size;
        }
      }
    } catch {
      // a reset of the far end's own stream is its end
    }
  }

  /** Both sides have closed once the far one has and our reader has seen the end. */
  #closeWhenDone(): void {
    if (this.#farClosed && this.readableEnded) this.destroy();
  }
}
