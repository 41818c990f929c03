/** Codes of LCP; the others use as many of them as they need (RFC 1661 §5, RFC 1570 §2). */
export const Code = {
  configureRequest: 1,
  configureAck: 2,
  configureNak: 3,
  configureReject: 4,
  terminateRequest: 5,
  terminateAck: 6,
  codeReject: 7,
  protocolReject: 8,
  echoRequest: 9,
  echoReply: 10,
  discardRequest: 11,
} as const;

/** A packet of LCP, of a protocol that negotiates as LCP does, or of an authentication protocol. */
export interface ControlPacket {
  readonly code: number;
  readonly id: number;
  readonly data: Buffer;
}

/** Reads it out of a frame's payload, padding taken off; undefined when its length cannot be (RFC 1661 §5). */
export function parseControlPacket(payload: Buffer): ControlPacket | undefined {
  if (payload.length < 4) return undefined;
  const length = payload.readUInt16BE(2);
  if (length < 4 || length > payload.length) return undefined;
  return { code: payload[0]!, id: payload[1]!, data: payload.subarray(4, length) };
}

/** Writes it; what is longer than 64 KiB cannot be, and is cut. */
export function controlPacket(code: number, id: number, data: Uint8Array): Buffer {
  const length = Math.min(data.length, 0xffff - 4);
  const packet = Buffer.alloc(4 + length);
  packet[0] = code;
  packet[1] = id;
  packet.writeUInt16BE(4 + length, 2);
  packet.set(data.subarray(0, length), 4);
  return packet;
}
