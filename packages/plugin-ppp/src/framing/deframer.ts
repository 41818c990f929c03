import { FCS_GOOD, fcs16 } from './fcs16.ts';
import { ACCM_ALL, ADDRESS, CONTROL, ESCAPE, ESCAPE_BIT, FLAG } from './framing.ts';
import { createNoise, type Noise } from './noise.ts';

/** What a {@link Deframer} is made with. */
export interface DeframerOptions {
  /** Bytes of the largest payload, as agreed by MRU; a frame that is longer is dropped and counted. */
  readonly mru: number;
  /**
   * A frame whose FCS is right, address and control taken off, protocol whatever its length was. The buffer is valid until
   * the next `receive`. What it sets on the deframer holds for the next frame, also of the same bytes.
   */
  readonly onFrame: (protocol: number, payload: Buffer) => void;
}

/** Frames, counted since the beginning; all but the first are those that were thrown away. */
export interface DeframerCounters {
  good: number;
  /** The FCS was wrong. */
  damaged: number;
  /** Ended by the sender with an escape before the flag. */
  aborted: number;
  /** Longer than the MRU lets them be. */
  tooLong: number;
  /** Too short for a protocol and an FCS, or the protocol is none (RFC 1661 §2). */
  malformed: number;
}

/** Reads frames of asynchronous HDLC (RFC 1662) out of a stream. Never throws, whatever comes. */
export interface Deframer {
  /**
   * Control characters that the other side escapes: those that come bare were put in by something between, and are taken
   * out. Starts with all of them.
   */
  accm: number;
  mru: number;
  readonly counters: DeframerCounters;
  /** What came before the first good frame: a shell's start-up, a program's complaint. */
  readonly noise: Noise;
  /** Takes the next bytes of the stream, cut anywhere. They are only read, and are the caller's again when it returns. */
  receive(bytes: Buffer): void;
}

/** Room beside the payload: address, control, protocol, FCS. */
const OVERHEAD = 6;
/** Below this a run is copied byte by byte: a call of the native copy costs about as much, bytes. */
const SHORT_RUN = 48;

/** What becomes of a byte: it is kept, the next one is changed by ESCAPE_BIT, or it is taken out and that stays as it is. */
const KEEP = 1;
const TAKE_OUT = 2 * ESCAPE_BIT;

function actionsFor(accm: number): Uint8Array {
  const actions = new Uint8Array(256).fill(KEEP);
  for (let character = 0; character < 32; character += 1) {
    if ((accm >>> character) & 1) actions[character] = TAKE_OUT;
  }
  actions[ESCAPE] = ESCAPE_BIT;
  return actions;
}

/** One for each stream. Memory is bounded: two frames of the largest size, and once the largest piece received. */
export function createDeframer(options: DeframerOptions): Deframer {
  return new AsyncDeframer(options);
}

class AsyncDeframer implements Deframer {
  mru: number;
  readonly counters: DeframerCounters = { good: 0, damaged: 0, aborted: 0, tooLong: 0, malformed: 0 };
  readonly noise = createNoise();
  readonly #onFrame: DeframerOptions['onFrame'];
  #accm: number = ACCM_ALL;
  #actions: Uint8Array = actionsFor(ACCM_ALL);
  /** False until the first flag, and after a frame was given up, until the next one. */
  #inFrame = false;
  /** The beginning of a frame that goes on in the next bytes, escapes resolved. */
  #partial: Buffer = Buffer.allocUnsafe(2048);
  #partialLength = 0;
  /** The other one: a frame that stood in `#partial` is still its handler's while the next begins. */
  #spare: Buffer = Buffer.allocUnsafe(2048);
  #escapePending = false;
  /** Where frames that had escapes are put together; as long as what was received. */
  #scratch: Buffer = Buffer.allocUnsafe(0);
  #receiving = false;
  #waiting: Buffer[] = [];

  constructor(options: DeframerOptions) {
    this.mru = options.mru;
    this.#onFrame = options.onFrame;
  }

  get accm(): number {
    return this.#accm;
  }

  set accm(accm: number) {
    if (accm !== this.#accm) this.#actions = actionsFor(accm);
    this.#accm = accm;
  }

  receive(bytes: Buffer): void {
    // A handler's answer may come back on the same stack (a link looped upon itself).
    if (this.#receiving) {
      this.#waiting.push(Buffer.from(bytes));
      return;
    }
    this.#receiving = true;
    try {
      this.#decode(bytes);
      for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) this.#decode(next);
    } finally {
      this.#receiving = false;
    }
  }

  #decode(bytes: Buffer): void {
    if (!this.noise.over) this.noise.take(bytes);
    if (this.#scratch.length < bytes.length) this.#scratch = Buffer.allocUnsafeSlow(bytes.length);
    const length = bytes.length;
    let scratchUsed = 0;
    let at = 0;
    let escape = -1;
    while (at < length) {
      const found = bytes.indexOf(FLAG, at);
      const end = found === -1 ? length : found;
      if (this.#inFrame && end > at) {
        if (escape < at) {
          const next = bytes.indexOf(ESCAPE, at);
          escape = next === -1 ? length : next;
        }
        const clean = escape >= end && this.#accm === 0 && !this.#escapePending;
        if (found === -1 || this.#partialLength > 0 || this.#escapePending) this.#keep(bytes, at, end);
        else if (clean) this.#finish(bytes, at, end);
        else {
          const stop = this.#resolve(bytes, at, end, this.#scratch, scratchUsed);
          if (this.#escapePending) this.#abort();
          else this.#finish(this.#scratch, scratchUsed, stop);
          scratchUsed = stop;
        }
      }
      if (found === -1) break;
      this.#endPartial();
      this.#inFrame = true;
      if (!this.noise.over) this.noise.markFlag(length - end);
      at = end + 1;
    }
  }

  /** Puts a piece of a frame, escapes resolved, behind what there is of it. */
  #keep(bytes: Buffer, start: number, end: number): void {
    const needed = this.#partialLength + (end - start);
    if (needed > this.#partial.length) {
      const most = this.mru + OVERHEAD;
      // Escapes make up to half of it: what is too long is known only when they are resolved, or when even half is too much.
      if (this.#partialLength + (end - start) / 2 > most) return this.#giveUp();
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(2 * this.#partial.length, 2 * most)));
      larger.set(this.#partial.subarray(0, this.#partialLength));
      this.#partial = larger;
    }
    this.#partialLength = this.#resolve(bytes, start, end, this.#partial, this.#partialLength);
    if (this.#partialLength > this.mru + OVERHEAD) this.#giveUp();
  }

  /** A flag came: what was kept is a frame, if it is anything. */
  #endPartial(): void {
    const length = this.#partialLength;
    if (this.#escapePending) return this.#abort();
    if (length === 0) return;
    const frame = this.#partial;
    this.#partial = this.#spare;
    this.#spare = frame;
    this.#partialLength = 0;
    this.#finish(frame, 0, length);
  }

  #giveUp(): void {
    this.counters.tooLong += 1;
    this.#partialLength = 0;
    this.#escapePending = false;
    this.#inFrame = false;
  }

  #abort(): void {
    this.counters.aborted += 1;
    this.#partialLength = 0;
    this.#escapePending = false;
  }

  /** Copies without escapes, and without control characters that may not come bare. Gives the end. */
  #resolve(bytes: Buffer, start: number, end: number, out: Buffer, outStart: number): number {
    if (this.#accm !== 0) return this.#resolveFiltered(bytes, start, end, out, outStart);
    let at = start;
    let to = outStart;
    if (this.#escapePending && at < end) {
      out[to++] = bytes[at++]! ^ ESCAPE_BIT;
      this.#escapePending = false;
    }
    while (at < end) {
      const found = bytes.indexOf(ESCAPE, at);
      const stop = found === -1 || found > end ? end : found;
      if (stop - at <= SHORT_RUN) while (at < stop) out[to++] = bytes[at++]!;
      else {
        bytes.copy(out, to, at, stop);
        to += stop - at;
        at = stop;
      }
      if (stop === end) break;
      if (stop + 1 === end) {
        this.#escapePending = true;
        break;
      }
      out[to++] = bytes[stop + 1]! ^ ESCAPE_BIT;
      at = stop + 2;
    }
    return to;
  }

  #resolveFiltered(bytes: Buffer, start: number, end: number, out: Buffer, outStart: number): number {
    const actions = this.#actions;
    let mask = this.#escapePending ? ESCAPE_BIT : 0;
    let to = outStart;
    // No branch depends on a byte: what is random cannot be foreseen, and a branch taken wrongly costs more than all of this.
    for (let at = start; at < end; at += 1) {
      const byte = bytes[at]!;
      const action = actions[byte]!;
      out[to] = byte ^ mask;
      to += action & KEEP;
      mask = (action & ESCAPE_BIT) | ((action >>> 1) & mask);
    }
    this.#escapePending = mask !== 0;
    return to;
  }

  #finish(bytes: Buffer, start: number, end: number): void {
    if (end - start > this.mru + OVERHEAD) {
      this.counters.tooLong += 1;
      return;
    }
    if (fcs16(bytes, start, end) !== FCS_GOOD) {
      this.counters.damaged += 1;
      return;
    }
    let at = start;
    const stop = end - 2;
    if (bytes[at] === ADDRESS && bytes[at + 1] === CONTROL) at += 2;
    let protocol = at < stop ? bytes[at++]! : 0;
    if ((protocol & 1) === 0) protocol = at < stop ? (protocol << 8) | bytes[at++]! : 0;
    if ((protocol & 1) === 0 || protocol === ADDRESS) {
      this.counters.malformed += 1;
      return;
    }
    if (stop - at > this.mru) {
      this.counters.tooLong += 1;
      return;
    }
    this.counters.good += 1;
    if (!this.noise.over) this.noise.end();
    this.#onFrame(protocol, bytes.subarray(at, stop));
  }
}
