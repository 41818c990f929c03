import { createRequire } from 'node:module';
import type { Writable } from 'node:stream';
import { gatherWrites } from '@viassh/core';
import type { Client } from 'ssh2';
import { allocPacket, type SendingProtocol } from './alloc-packet.ts';

const require = createRequire(import.meta.url);
const { sendPacket } = require('ssh2/lib/protocol/utils.js') as {
  readonly sendPacket: (protocol: SendingProtocol, packet: Buffer) => boolean;
};

/** Longer data goes out at once: it fills a system call by itself. */
const GATHERED_BYTES = 4 * 1024;

/** Message numbers, RFC 4254 §9. */
export const message = {
  globalRequest: 80,
  channelOpen: 90,
  channelOpenConfirmation: 91,
  channelOpenFailure: 92,
  channelWindowAdjust: 93,
  channelData: 94,
  channelEof: 96,
  channelClose: 97,
  channelRequest: 98,
  channelFailure: 100,
} as const;

/** A field as in RFC 4251 §5: a number is a uint32, text and bytes are a string. */
export type Field = number | string | boolean | Buffer;

/** Sends one message; while keys are exchanged anew it waits for its turn. */
export function sendMessage(client: Client, type: number, ...fields: Field[]): void {
  const parts = fields.map((field) => (typeof field === 'string' ? Buffer.from(field) : field));
  const { protocol, packet, start } = allocate(
    client,
    parts.reduce<number>((sum, part) => sum + sizeOf(part), 1),
  );
  let at = packet.writeUInt8(type, start);
  for (const part of parts) {
    if (typeof part === 'boolean') at = packet.writeUInt8(part ? 1 : 0, at);
    else if (typeof part === 'number') at = packet.writeUInt32BE(part, at);
    else {
      at = packet.writeUInt32BE(part.length, at);
      packet.set(part, at);
      at += part.length;
    }
  }
  sendPacket(protocol, protocol._packetRW.write.finalize(packet));
}

/** SSH_MSG_CHANNEL_DATA of two parts in a row, each copied once. `atOnce`: it does not wait for others of this turn. */
export function sendData(client: Client, recipient: number, body: Buffer, head?: Buffer, atOnce = false): void {
  const wire = (client as unknown as { readonly _sock?: Writable })._sock;
  const headLength = head?.length ?? 0;
  if (!atOnce && wire !== undefined && headLength + body.length <= GATHERED_BYTES) gatherWrites(wire);
  const { protocol, packet, start } = allocate(client, 9 + headLength + body.length);
  packet[start] = message.channelData;
  packet.writeUInt32BE(recipient, start + 1);
  packet.writeUInt32BE(headLength + body.length, start + 5);
  if (head !== undefined) packet.set(head, start + 9);
  packet.set(body, start + 9 + headLength);
  sendPacket(protocol, protocol._packetRW.write.finalize(packet));
}

function allocate(client: Client, size: number): { protocol: SendingProtocol; packet: Buffer; start: number } {
  const { _protocol: protocol } = client as unknown as { _protocol: SendingProtocol };
  return { protocol, packet: allocPacket(protocol, size), start: protocol._packetRW.write.allocStart };
}

function sizeOf(part: number | boolean | Buffer): number {
  if (typeof part === 'boolean') return 1;
  return typeof part === 'number' ? 4 : 4 + part.length;
}
