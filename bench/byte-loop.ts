/**
 * Asynchronous HDLC as the appendix of RFC 1662 writes it down, and most programs do it: byte by byte, the FCS from a table of
 * 256. The peer of the framing races.
 */

const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0x8408 : sum >>> 1;
  return sum;
});

/** Frames of IPv4 packets, address, control and the protocol's first byte left out; control characters go as they are. */
export function encodeByteLoop(packets: readonly Uint8Array[], out: Uint8Array): number {
  let at = 0;
  let fcs = 0;
  const put = (byte: number): void => {
    fcs = (fcs >>> 8) ^ (table[(fcs ^ byte) & 0xff] ?? 0);
    escaped(byte);
  };
  const escaped = (byte: number): void => {
    if (byte === 0x7e || byte === 0x7d) {
      out[at++] = 0x7d;
      out[at++] = byte ^ 0x20;
    } else out[at++] = byte;
  };
  out[at++] = 0x7e;
  for (const packet of packets) {
    fcs = 0xffff;
    put(0x21);
    for (const byte of packet) put(byte);
    const sum = fcs ^ 0xffff;
    escaped(sum & 0xff);
    escaped(sum >>> 8);
    out[at++] = 0x7e;
  }
  return at;
}

/** Calls `onFrame` for each good frame; the payload is a copy. */
export function createByteLoopDecoder(onFrame: (payload: Uint8Array) => void): (bytes: Uint8Array) => void {
  const frame = new Uint8Array(70_000);
  let length = 0;
  let escaped = false;
  let fcs = 0xffff;
  return (bytes) => {
    for (const byte of bytes) {
      if (byte === 0x7e) {
        if (length > 3 && fcs === 0xf0b8) onFrame(frame.slice(1, length - 2));
        length = 0;
        escaped = false;
        fcs = 0xffff;
      } else if (byte === 0x7d) escaped = true;
      else {
        const plain = escaped ? byte ^ 0x20 : byte;
        escaped = false;
        frame[length++] = plain;
        fcs = (fcs >>> 8) ^ (table[(fcs ^ plain) & 0xff] ?? 0);
      }
    }
  };
}
