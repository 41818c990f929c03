import type { Socket } from 'node:net';
import { message } from './messages.ts';
import type { MuxProxy } from './open-mux-proxy.ts';
import { encode, type Field } from './wire.ts';

const HEADER_BYTES = 6; // uint32 length | byte padding (always 0) | byte type

/** SSH packets over a mux proxy: `uint32 len | byte 0 | byte type | payload`, no MAC, no padding. */
export class PacketLink {
  readonly socket: Socket;

  constructor(proxy: MuxProxy, onPacket: (type: number, body: Buffer) => void) {
    this.socket = proxy.socket;
    proxy.onFrame((body) => onPacket(body.readUInt8(1), body.subarray(2)));
  }

  /** @throws RangeError for a message that must not pass: the master forwards whatever it gets to the server. */
  send(type: number, ...fields: readonly Field[]): void {
    if (type < message.channelOpen || type > message.channelFailure)
      throw new RangeError(`message ${type} does not go through a mux proxy`);
    if (!this.socket.writable) return;
    const payload = encode(...fields);
    this.socket.write(Buffer.concat([header(type, payload.length), payload]));
  }

  /** Several packets in one system call: what is sent within `send` goes out together. */
  together(send: () => void): void {
    this.socket.cork();
    send();
    this.socket.uncork();
  }

  /** CHANNEL_DATA (RFC 4254 §5.2) without copying the data; `sent` is called when the kernel has it. */
  sendData(channel: number, data: Buffer, sent?: () => void): void {
    if (!this.socket.writable) {
      sent?.();
      return;
    }
    const head = Buffer.allocUnsafe(HEADER_BYTES + 8);
    header(message.channelData, 8 + data.length).copy(head);
    head.writeUInt32BE(channel, HEADER_BYTES);
    head.writeUInt32BE(data.length, HEADER_BYTES + 4);
    this.together(() => {
      this.socket.write(head);
      this.socket.write(data, sent);
    });
  }
}

function header(type: number, payloadLength: number): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES);
  bytes.writeUInt32BE(payloadLength + 2, 0);
  bytes.writeUInt8(0, 4);
  bytes.writeUInt8(type, 5);
  return bytes;
}
