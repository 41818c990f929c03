import type { Socket } from 'node:net';
import type { WireConditions } from './wire-conditions.ts';

/** A wait shorter than this is none: timers know whole milliseconds only. */
const NEAR_MS = 0.5;
const MOST_HELD = 4 * 1024 * 1024;
const MOST_HELD_DELAYED = 256 * 1024 * 1024;

interface Held {
  /** Undefined: the end of the stream. */
  readonly bytes: Buffer | undefined;
  /** When it may leave, by performance.now(). */
  readonly due: number;
}

/** One direction of a wire: takes bytes from one socket and gives them to the other as the conditions are. */
export class WireLane {
  readonly #from: Socket;
  readonly #to: Socket;
  #conditions: WireConditions;
  #queue: Held[] = [];
  #heldBytes = 0;
  #stalled = false;
  /** A write, or the pause between two, is under way. */
  #busy = false;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(from: Socket, to: Socket, conditions: WireConditions) {
    this.#from = from;
    this.#to = to;
    this.#conditions = conditions;
  }

  set conditions(conditions: WireConditions) {
    this.#conditions = conditions;
  }

  /** Bytes that are under way. */
  get held(): number {
    return this.#heldBytes;
  }

  /** Takes bytes, or the end of the stream. */
  take(bytes: Buffer | undefined): void {
    if (this.#closed || bytes?.length === 0) return;
    this.#queue.push({ bytes, due: performance.now() + (this.#conditions.delayMs ?? 0) });
    this.#heldBytes += bytes?.length ?? 0;
    this.#pump();
    if (this.#heldBytes > this.#mostHeld()) this.#from.pause();
  }

  /** From now on nothing passes; the sender notices when all buffers are full. */
  stall(): void {
    this.#stalled = true;
  }

  resume(): void {
    this.#stalled = false;
    this.#pump();
  }

  /** Delivers what is held but its last `lose` bytes, at once and in one piece; nothing passes afterwards. */
  close(lose: number): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    const held = Buffer.concat(this.#queue.map(({ bytes }) => bytes ?? Buffer.of()));
    this.#queue = [];
    const rest = held.subarray(0, Math.max(0, held.length - lose));
    if (rest.length > 0 && this.#to.writable) this.#to.write(rest);
  }

  #pump(): void {
    while (!this.#stalled && !this.#busy && !this.#closed) {
      const head = this.#queue[0];
      if (head === undefined) break;
      const wait = head.due - performance.now();
      if (wait > NEAR_MS) return this.#pumpAfter(wait);
      this.#queue.shift();
      if (head.bytes === undefined) this.#to.end();
      else this.#send(head.bytes, head.due);
    }
    if (this.#heldBytes <= this.#mostHeld()) this.#from.resume();
  }

  #send(bytes: Buffer, due: number): void {
    const { trickle, maxChunk = Infinity } = this.#conditions;
    const piece = bytes.subarray(0, Math.min(trickle?.bytes ?? Infinity, maxChunk));
    const rest = bytes.subarray(piece.length);
    if (rest.length > 0) this.#queue.unshift({ bytes: rest, due });
    this.#heldBytes -= piece.length;
    if (!this.#to.writable) return;
    const next = (): void => {
      this.#busy = false;
      this.#pump();
    };
    const alone = Number.isFinite(maxChunk);
    if (trickle === undefined && alone) this.#busy = true;
    const room = this.#to.write(piece, trickle === undefined && alone ? next : undefined);
    if (trickle !== undefined) {
      this.#busy = true;
      this.#timer = setTimeout(next, trickle.everyMs).unref();
    } else if (!alone && !room) {
      this.#busy = true;
      this.#to.once('drain', next);
    }
  }

  #pumpAfter(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#pump(), ms).unref();
  }

  #mostHeld(): number {
    return this.#conditions.delayMs === undefined ? MOST_HELD : MOST_HELD_DELAYED;
  }
}
