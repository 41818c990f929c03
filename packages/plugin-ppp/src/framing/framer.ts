import { FCS_START, fcs16 } from './fcs16.ts';
import {
  ADDRESS,
  CONTROL,
  ESCAPE,
  ESCAPE_BIT,
  FLAG,
  type FrameForm,
  IPV4_PROTOCOL,
  IPV6_PROTOCOL,
  LCP_PROTOCOL,
  plainForm,
} from './framing.ts';

/** Writes frames of asynchronous HDLC (RFC 1662). */
export interface Framer {
  /** How the other side wants its frames; holds from the next one on. Starts as {@link plainForm}. */
  form: FrameForm;
  /** One frame with its flags, in a buffer that is the caller's own. LCP's are in the plain form whatever `form` says. */
  encode(protocol: number, payload: Uint8Array): Buffer;
  /**
   * A frame for each IP packet, all in one buffer that is the caller's own: IPv4 and IPv6 by the packet's first half byte.
   * What is neither, empty buffers too, is left out.
   */
  encodePackets(packets: readonly Uint8Array[]): Buffer;
}

/** Flag before, address, control, protocol, FCS, flag after: at the most this much besides the payload, before escaping. */
const OVERHEAD = 8;
/** Frames are cut from pieces of this size, bytes: a fresh allocation for each batch costs more than the framing. */
const SLAB = 512 * 1024;
/** Up to here a run is copied byte by byte: a call of the native copy costs about as much, bytes. */
const SHORT_RUN = 48;

/** One for each direction of each link: no state but the form and a piece of memory. */
export function createFramer(form: FrameForm = plainForm): Framer {
  return new AsyncFramer(form);
}

class AsyncFramer implements Framer {
  #form: FrameForm = plainForm;
  #escaped: Uint8Array = escapedBytes(plainForm.accm);
  #slab: Buffer = Buffer.alloc(0);
  #used = 0;

  constructor(form: FrameForm) {
    this.form = form;
  }

  get form(): FrameForm {
    return this.#form;
  }

  set form(form: FrameForm) {
    if (form.accm !== this.#form.accm) this.#escaped = escapedBytes(form.accm);
    this.#form = form;
  }

  encode(protocol: number, payload: Uint8Array): Buffer {
    this.#reserve(2 * (payload.length + OVERHEAD));
    const start = this.#used;
    const lcp = protocol === LCP_PROTOCOL;
    this.#slab[start] = FLAG;
    const end = this.#frame(
      start + 1,
      protocol,
      payload,
      lcp ? plainForm : this.#form,
      lcp ? everyControl : this.#escaped,
    );
    return this.#take(end);
  }

  encodePackets(packets: readonly Uint8Array[]): Buffer {
    let most = 1;
    for (const packet of packets) most += 2 * (packet.length + OVERHEAD);
    this.#reserve(most);
    let at = this.#used;
    this.#slab[at++] = FLAG;
    for (const packet of packets) {
      const version = packet.length === 0 ? 0 : packet[0]! >>> 4;
      if (version === 4) at = this.#frame(at, IPV4_PROTOCOL, packet, this.#form, this.#escaped);
      else if (version === 6) at = this.#frame(at, IPV6_PROTOCOL, packet, this.#form, this.#escaped);
    }
    return at === this.#used + 1 ? Buffer.alloc(0) : this.#take(at);
  }

  #frame(at: number, protocol: number, payload: Uint8Array, form: FrameForm, escaped: Uint8Array): number {
    const out = this.#slab;
    let end = at;
    let fcs = FCS_START;
    const put = (byte: number): void => {
      if (escaped[byte] === 1) {
        out[end] = ESCAPE;
        out[end + 1] = byte ^ ESCAPE_BIT;
        end += 2;
      } else {
        out[end] = byte;
        end += 1;
      }
    };
    head[0] = ADDRESS;
    head[1] = CONTROL;
    head[2] = protocol >>> 8;
    head[3] = protocol & 0xff;
    if (!form.acfc) {
      put(ADDRESS);
      put(CONTROL);
      fcs = fcs16(head, 0, 2, fcs);
    }
    if (!form.pfc || protocol > 0xff) {
      put(head[2]);
      fcs = fcs16(head, 2, 3, fcs);
    }
    put(head[3]);
    fcs = fcs16(head, 3, 4, fcs);
    fcs = fcs16(payload, 0, payload.length, fcs) ^ 0xffff;
    end = form.accm === 0 ? copyRuns(payload, out, end) : copyEscaped(payload, out, end, escaped);
    put(fcs & 0xff);
    put(fcs >>> 8);
    out[end] = FLAG;
    return end + 1;
  }

  #reserve(most: number): void {
    if (this.#slab.length - this.#used >= most) return;
    this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB, most));
    this.#used = 0;
  }

  #take(end: number): Buffer {
    const bytes = this.#slab.subarray(this.#used, end);
    this.#used = end;
    return bytes;
  }
}

const head: [number, number, number, number] & Uint8Array = new Uint8Array(4) as never;
const everyControl = escapedBytes(plainForm.accm);

/** 1 for each byte that goes escaped. */
function escapedBytes(accm: number): Uint8Array {
  const escaped = new Uint8Array(256);
  for (let character = 0; character < 32; character += 1) escaped[character] = (accm >>> character) & 1;
  escaped[FLAG] = 1;
  escaped[ESCAPE] = 1;
  return escaped;
}

/** For an ACCM of 0: what needs an escape is rare, so whole runs are copied. Gives the end. */
function copyRuns(from: Uint8Array, out: Buffer, start: number): number {
  const length = from.length;
  let at = 0;
  let end = start;
  let flag = nextOf(from, FLAG, 0);
  let escape = nextOf(from, ESCAPE, 0);
  for (;;) {
    const stop = flag < escape ? flag : escape;
    if (stop - at <= SHORT_RUN) while (at < stop) out[end++] = from[at++]!;
    else {
      out.set(at === 0 && stop === length ? from : from.subarray(at, stop), end);
      end += stop - at;
      at = stop;
    }
    if (stop === length) return end;
    out[end] = ESCAPE;
    out[end + 1] = from[at]! ^ ESCAPE_BIT;
    end += 2;
    at += 1;
    if (stop === flag) flag = nextOf(from, FLAG, at);
    else escape = nextOf(from, ESCAPE, at);
  }
}

function copyEscaped(from: Uint8Array, out: Buffer, start: number, escaped: Uint8Array): number {
  let end = start;
  // No branch depends on a byte: what is random cannot be foreseen, and a branch taken wrongly costs more than a write.
  for (let at = 0; at < from.length; at += 1) {
    const byte = from[at]!;
    const escape = escaped[byte]!;
    out[end] = byte + (ESCAPE - byte) * escape;
    out[end + escape] = byte ^ (escape * ESCAPE_BIT);
    end += 1 + escape;
  }
  return end;
}

function nextOf(bytes: Uint8Array, byte: number, from: number): number {
  const at = bytes.indexOf(byte, from);
  return at === -1 ? bytes.length : at;
}
