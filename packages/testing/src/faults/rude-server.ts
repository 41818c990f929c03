import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { resetSocket } from './reset-socket.ts';

/** What a {@link startRudeServer} does with everybody who comes. */
export type Rudeness =
  | 'garbage'
  | 'endless lines'
  | 'endless line'
  | 'half a version'
  | 'old version'
  | 'version and silence'
  | 'version and close'
  | 'version and reset'
  | 'packet too long'
  | 'kexinit and close'
  | 'nothing in common';

/** Something on a port of 127.0.0.1 that breaks the rules of SSH before any encryption. Disposing takes it away. */
export interface RudeServer extends AsyncDisposable {
  readonly port: number;
  /** How many came so far. */
  readonly visits: number;
}

const VERSION = 'SSH-2.0-rude\r\n';
const KEXINIT = 20; // RFC 4253 §7.1
const NAME_LISTS = 10;

const rudenesses: Readonly<Record<Rudeness, (socket: Socket) => unknown>> = {
  /** Bytes of chance that hold no line end. */
  garbage: (socket) => socket.end(withoutLineEnds(randomBytes(64 * 1024))),
  /** Lines of text and no end of them. */
  'endless lines': (socket) => writeForEver(socket, Buffer.from('a line that is no version\r\n'.repeat(64))),
  /** One line that never ends. */
  'endless line': (socket) => writeForEver(socket, Buffer.alloc(4096, 'x')),
  'half a version': (socket) => socket.end('SSH-2.0-ru'),
  'old version': (socket) => socket.end('SSH-1.5-rude\r\n'),
  /** Says its version, and then nothing more. */
  'version and silence': (socket) => socket.write(VERSION),
  'version and close': (socket) => socket.end(VERSION),
  /** Resets as soon as it was spoken to. */
  'version and reset': (socket) => socket.once('data', () => resetSocket(socket)).write(VERSION),
  /** A packet that claims to be as long as 4 GiB. */
  'packet too long': (socket) => socket.end(Buffer.concat([Buffer.from(VERSION), Buffer.alloc(64, 0xff)])),
  'kexinit and close': (socket) => socket.end(Buffer.concat([Buffer.from(VERSION), kexinit('curve25519-sha256')])),
  'nothing in common': (socket) => socket.write(Buffer.concat([Buffer.from(VERSION), kexinit('rude-kex')])),
};

/** Starts one that is always rude in the same way. */
export async function startRudeServer(rudeness: Rudeness): Promise<RudeServer> {
  const sockets = new Set<Socket>();
  let visits = 0;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    visits += 1;
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
    socket.on('end', () => socket.end()).resume();
    rudenesses[rudeness](socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get visits() {
      return visits;
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function withoutLineEnds(bytes: Buffer): Buffer {
  return Buffer.from(bytes.map((byte) => (byte === 0x0a || byte === 0x0d ? 0x20 : byte)));
}

function writeForEver(socket: Socket, bytes: Buffer): void {
  const more = (): void => {
    while (socket.writable && socket.write(bytes));
  };
  socket.on('drain', more);
  more();
}

/** A whole KEXINIT packet with this one key exchange and usual names for the rest. */
function kexinit(kex: string): Buffer {
  const lists = [kex, 'ssh-ed25519', ...twice('aes128-ctr'), ...twice('hmac-sha2-256'), ...twice('none'), '', ''];
  if (lists.length !== NAME_LISTS) throw new Error('a KEXINIT has ten name lists');
  const payload = Buffer.concat([Buffer.of(KEXINIT), randomBytes(16), ...lists.map(string), Buffer.alloc(5)]);
  const padding = 4 + ((8 - ((5 + payload.length + 4) % 8)) % 8); // RFC 4253 §6
  const packet = Buffer.alloc(5 + payload.length + padding);
  packet.writeUInt32BE(packet.length - 4, 0);
  packet.writeUInt8(padding, 4);
  payload.copy(packet, 5);
  return packet;
}

function twice(name: string): [string, string] {
  return [name, name];
}

function string(text: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  return Buffer.concat([length, Buffer.from(text)]);
}
