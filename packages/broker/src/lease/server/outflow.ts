import type { Readable } from 'node:stream';
import type { FrameKind } from '../wire/frame.ts';
import { MOST_DATA } from '../wire/frame.ts';
import type { FrameWire } from '../wire/frame-wire.ts';
import type { SendWindow } from '../wire/window.ts';

/** Where a stream goes. */
export interface OutflowSetup {
  readonly wire: FrameWire;
  readonly id: number;
  readonly kind: FrameKind;
  readonly window: SendWindow;
  /** Its end came, behind the last of its bytes. */
  readonly ended: () => void;
  /** Nothing more comes, all that had come was sent. */
  readonly closed: () => void;
}

/** Sends what a stream of the far end gives, as the window and the socket have room; holds one chunk at the most. */
export class Outflow {
  readonly #stream: Readable;
  readonly #setup: OutflowSetup;
  #held: Buffer | undefined;
  #hasEnded = false;
  #hasClosed = false;
  #toldEnd = false;
  #toldClose = false;
  #waitsForWire = false;
  #stopped = false;

  constructor(stream: Readable, setup: OutflowSetup) {
    this.#stream = stream;
    this.#setup = setup;
    stream.on('data', (chunk: Buffer) => {
      this.#held = chunk; // never a second one: while one is held the stream is paused
      this.flush();
    });
    stream.once('end', () => {
      this.#hasEnded = true;
      this.flush();
    });
    stream.once('close', () => {
      this.#hasClosed = true;
      this.flush();
    });
  }

  /** There may be room again. */
  flush(): void {
    if (this.#stopped) return;
    const { window, wire, id, kind } = this.#setup;
    while (this.#held !== undefined) {
      if (window.room === 0) return void this.#stream.pause();
      if (!wire.isLow) return this.#waitForWire();
      const part = this.#held.subarray(0, Math.min(window.room, MOST_DATA));
      this.#held = part.length === this.#held.length ? undefined : this.#held.subarray(part.length);
      window.took(part.length);
      wire.send(kind, id, part);
    }
    if (this.#hasEnded && !this.#toldEnd) {
      this.#toldEnd = true;
      this.#setup.ended();
    }
    if (this.#hasClosed && !this.#toldClose) {
      this.#toldClose = true;
      this.#setup.closed();
    }
    if (this.#stream.isPaused()) this.#stream.resume();
  }

  /** Sends and tells nothing any more. */
  stop(): void {
    this.#stopped = true;
    this.#held = undefined;
  }

  #waitForWire(): void {
    this.#stream.pause();
    if (this.#waitsForWire) return;
    this.#waitsForWire = true;
    this.#setup.wire.whenLow(() => {
      this.#waitsForWire = false;
      this.flush();
    });
  }
}
