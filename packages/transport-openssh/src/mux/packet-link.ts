import type { Socket } from 'node:net';
import { gatherWrites } from '@viassh/core';
import { FirstAnswer } from './first-answer.ts';
import { ignore, message } from './messages.ts';
import type { MuxProxy } from './open-mux-proxy.ts';
import { encodeBehind, type Field } from './wire.ts';

const HEADER_BYTES = 6; // uint32 length | byte padding (always 0) | byte type
const DATA_HEADER_BYTES = HEADER_BYTES + 8; // and uint32 channel | uint32 length of the data
/** Data up to this length goes out in one piece with its header: copying it costs less than two pieces do. */
const COPIED_BYTES = 4 * 1024;
/** Datagrams are copied into pieces of memory of this size, bytes: one of its own for each batch keeps the collector busy. */
const SLAB_BYTES = 1024 * 1024;

/** A datagram to send: the data of one packet is `prefix | bytes`. */
export interface Datagram {
  readonly prefix: Buffer | undefined;
  readonly bytes: Buffer;
}

/** SSH packets over a mux proxy: `uint32 len | byte 0 | byte type | payload`, no MAC, no padding. */
export class PacketLink {
  readonly socket: Socket;
  readonly #firstAnswer = new FirstAnswer(() => this.#ignored());
  #afterRead: (() => void)[] = [];
  #slab: Buffer = Buffer.alloc(0);
  #slabUsed = 0;

  /** Packets are slices of memory that nobody writes to again. What is sent in answer to one read goes out together. */
  constructor(proxy: MuxProxy, onPacket: (type: number, body: Buffer) => void) {
    this.socket = proxy.socket;
    this.socket.once('close', () => this.#firstAnswer.settled());
    proxy.take({
      frame: (body) => {
        this.#firstAnswer.settled();
        onPacket(body.readUInt8(1), body.subarray(2));
      },
      readStarts: () => this.socket.cork(),
      readEnds: () => {
        for (const callback of this.#afterRead.splice(0)) callback();
        this.socket.uncork();
      },
    });
  }

  /** Calls back once, when all of the present read of the wire was delivered. */
  afterRead(callback: () => void): void {
    this.#afterRead.push(callback);
  }

  /** @throws RangeError for a message that must not pass: the master forwards whatever it gets to the server. */
  send(type: number, ...fields: readonly Field[]): void {
    if (type < message.channelOpen || type > message.channelFailure)
      throw new RangeError(`message ${type} does not go through a mux proxy`);
    if (!this.socket.writable) return;
    if (type === message.channelOpen) this.#firstAnswer.asked();
    const packet = encodeBehind(HEADER_BYTES, fields);
    writeHeader(packet, 0, type, packet.length - HEADER_BYTES);
    this.socket.write(packet);
  }

  /** Several packets in one system call: what is sent within `send` goes out together. */
  together(send: () => void): void {
    this.socket.cork();
    send();
    this.socket.uncork();
  }

  /** CHANNEL_DATA (RFC 4254 §5.2); long data is not copied. `sent` is called when the kernel has it, or never will: why is said when the socket closes. */
  sendData(channel: number, data: Buffer, sent?: () => void): void {
    if (!this.socket.writable) {
      sent?.();
      return;
    }
    if (data.length <= COPIED_BYTES) {
      gatherWrites(this.socket);
      const packet = Buffer.allocUnsafe(DATA_HEADER_BYTES + data.length);
      data.copy(packet, writeDataHeader(packet, 0, channel, data.length));
      this.socket.write(packet, () => sent?.());
      return;
    }
    const head = Buffer.allocUnsafe(DATA_HEADER_BYTES);
    writeDataHeader(head, 0, channel, data.length);
    this.together(() => {
      this.socket.write(head);
      this.socket.write(data, () => sent?.());
    });
  }

  /** One CHANNEL_DATA for each datagram, copied, in one write. `sent` is called when the kernel has them. */
  sendDatagrams(channel: number, datagrams: readonly Datagram[], sent: () => void): void {
    if (!this.socket.writable) return sent();
    let total = 0;
    for (const datagram of datagrams) total += DATA_HEADER_BYTES + dataLength(datagram);
    const packets = this.#cut(total);
    let at = 0;
    for (const datagram of datagrams) {
      at = writeDataHeader(packets, at, channel, dataLength(datagram));
      if (datagram.prefix !== undefined) at += datagram.prefix.copy(packets, at);
      at += datagram.bytes.copy(packets, at);
    }
    this.socket.write(packets, () => sent());
  }

  /** Memory that nobody else has, or ever gets. */
  #cut(length: number): Buffer {
    if (this.#slab.length - this.#slabUsed < length) {
      this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, length));
      this.#slabUsed = 0;
    }
    const piece = this.#slab.subarray(this.#slabUsed, this.#slabUsed + length);
    this.#slabUsed += length;
    return piece;
  }

  #ignored(): void {
    if (!this.socket.writable) return;
    const packet = encodeBehind(HEADER_BYTES, ['']);
    writeHeader(packet, 0, ignore, packet.length - HEADER_BYTES);
    this.socket.write(packet);
  }
}

/** The bytes of one CHANNEL_DATA's data. */
export function dataLength({ prefix, bytes }: Datagram): number {
  return bytes.length + (prefix?.length ?? 0);
}

function writeHeader(bytes: Buffer, at: number, type: number, payloadLength: number): number {
  bytes.writeUInt32BE(payloadLength + 2, at);
  bytes.writeUInt8(0, at + 4);
  return bytes.writeUInt8(type, at + 5);
}

function writeDataHeader(bytes: Buffer, at: number, channel: number, length: number): number {
  const payload = writeHeader(bytes, at, message.channelData, 8 + length);
  return bytes.writeUInt32BE(length, bytes.writeUInt32BE(channel, payload));
}
