import type { WirePhase } from './wire-conditions.ts';

/** Where something begins in one direction of a wire, counted in bytes from its start. */
export interface WireMark {
  readonly what: WirePhase | 'encrypted';
  readonly position: number;
}

const IDENT = Buffer.from('SSH-');
const HEADER_BYTES = 6; // uint32 packet length | byte padding length | byte message (RFC 4253 §6)
const LENGTH_BYTES = 4;
const KEXINIT = 20; // RFC 4253 §12, this and the next two
const NEWKEYS = 21;
const FIRST_KEX = 30;
const LAST_KEX = 49;

/** Reads one direction of a wire as far as it is not encrypted, and tells where its phases begin. */
export class WirePhases {
  #pending: Buffer = Buffer.of();
  /** Of the first byte of `pending`. */
  #position = 0;
  #state: 'lines' | 'packets' | 'encrypted' = 'lines';
  readonly #seen = new Set<WirePhase>();

  get encrypted(): boolean {
    return this.#state === 'encrypted';
  }

  /** The phases that begin in what came now. Each is told once. */
  read(bytes: Buffer): WireMark[] {
    if (this.#state === 'encrypted') return [];
    const marks: WireMark[] = this.#mark('ident', 0);
    this.#pending = Buffer.concat([this.#pending, bytes]);
    while (this.#state === 'lines' && this.#line());
    while (this.#state === 'packets') {
      const next = this.#packet();
      if (next === undefined) break;
      marks.push(...next);
    }
    return marks;
  }

  /** Takes a line; false when there is none. Others may stand before the one that says the version (§4.2). */
  #line(): boolean {
    const end = this.#pending.indexOf(0x0a);
    if (end < 0) return false;
    if (this.#pending.subarray(0, IDENT.length).equals(IDENT)) this.#state = 'packets';
    this.#drop(end + 1);
    return true;
  }

  /** Takes a packet; undefined when it is not whole and its phase was told. */
  #packet(): WireMark[] | undefined {
    if (this.#pending.length < HEADER_BYTES) return undefined;
    const length = LENGTH_BYTES + this.#pending.readUInt32BE(0);
    const message = this.#pending.readUInt8(HEADER_BYTES - 1);
    const phase = phaseOf(message);
    const marks = phase === undefined ? [] : this.#mark(phase, this.#position);
    if (this.#pending.length < length) return marks.length > 0 ? marks : undefined;
    this.#drop(length);
    if (message !== NEWKEYS) return marks;
    this.#state = 'encrypted';
    return [...marks, { what: 'encrypted', position: this.#position }];
  }

  #mark(what: WirePhase, position: number): WireMark[] {
    if (this.#seen.has(what)) return [];
    this.#seen.add(what);
    return [{ what, position }];
  }

  #drop(bytes: number): void {
    this.#pending = this.#pending.subarray(bytes);
    this.#position += bytes;
  }
}

function phaseOf(message: number): WirePhase | undefined {
  if (message === KEXINIT) return 'kexinit';
  if (message === NEWKEYS) return 'newkeys';
  return message >= FIRST_KEX && message <= LAST_KEX ? 'kex' : undefined;
}
