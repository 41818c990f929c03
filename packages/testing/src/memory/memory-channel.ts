import { Duplex, Readable } from 'node:stream';
import { type Channel, isViasshError, toViasshError } from '@viassh/core';
import type { FarEnd } from './far-end.ts';
import { Inbox } from './inbox.ts';
import { Window } from './window.ts';

const MAXIMUM_PACKET_SIZE = 32 * 1024;

/** The near side of a channel in memory, with both windows. The far side is a {@link FarEnd}. */
export class MemoryChannel extends Duplex implements Channel {
  readonly type: string;
  /** Extended data; shares the window. */
  readonly stderr: Readable;
  readonly #far: FarEnd;
  readonly #incoming: Window;
  readonly #outgoing: Window;
  readonly #data: Inbox;
  readonly #extended: Inbox;
  #farClosed = false;

  /** `windowSize` in bytes, for each direction. */
  constructor(type: string, far: FarEnd, windowSize: number) {
    super({ autoDestroy: false });
    this.type = type;
    this.#far = far;
    this.#incoming = new Window(windowSize);
    this.#outgoing = new Window(windowSize);
    const grant = (bytes: number): void => this.#incoming.give(bytes);
    this.#data = new Inbox((chunk) => this.push(chunk), grant);
    this.stderr = new Readable({ read: () => this.#extended.want() });
    this.#extended = new Inbox((chunk) => this.stderr.push(chunk), grant);
    this.stderr.on('error', () => undefined);
    this.once('end', () => this.#closeWhenDone());
    void this.#serve();
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
    this.#incoming.close();
    this.#outgoing.close();
    if (!this.#farClosed) this.#far.close();
    const reason = error === null ? null : toViasshError(error, 'STREAM_FAILED');
    // After an orderly end what is left of stderr may still be read.
    if (!this.#farClosed || isViasshError(reason, 'CONNECTION_LOST')) this.stderr.destroy();
    done(reason);
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
    if (this.#far.error !== undefined) outputs.push(this.#pump(this.#far.error, this.#extended));
    await Promise.all(outputs);
    this.#data.put(null); // EOF is one message for both streams
    this.#extended.put(null);
    await this.#far.done;
    this.#farClosed = true;
    this.#outgoing.close();
    this.#closeWhenDone();
  }

  async #pump(source: Readable, inbox: Inbox): Promise<void> {
    try {
      for await (const chunk of source as AsyncIterable<Buffer>) {
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
