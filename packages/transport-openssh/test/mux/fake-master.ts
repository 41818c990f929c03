import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FrameReader } from '../../src/mux/frame-reader.ts';
import { ignore, mux } from '../../src/mux/messages.ts';
import { encode, type Field } from '../../src/mux/wire.ts';

const IGNORED_BYTES = 6; // byte padding (always 0) | byte type | string ''

/** A control socket whose master is the test. It ignores SSH_MSG_IGNORE, as servers do. */
export interface FakeMaster extends AsyncDisposable {
  readonly socketPath: string;
  /** The client's next frame. */
  next(): Promise<Buffer>;
  /** Sends a frame with these fields. */
  send(...fields: readonly Field[]): void;
  /** Sends an SSH packet: type, then fields. */
  sendPacket(type: number, ...fields: readonly Field[]): void;
  /** What is sent within `send` goes out in one piece. */
  together(send: () => void): void;
  /** The client's bytes stay in the kernel. */
  stopReading(): void;
  readOn(): void;
  hangUp(): void;
}

/** Listens; with `handshake` it also says hello and grants proxy mode. */
export async function fakeMaster({ handshake }: { handshake: boolean }): Promise<FakeMaster> {
  const folder = await mkdtemp(join(tmpdir(), 'viassh-f-'));
  const frames: Buffer[] = [];
  const waiting: ((frame: Buffer) => void)[] = [];
  let socket: Socket | undefined;
  const server = createServer((accepted) => {
    socket = accepted;
    accepted.on('error', () => undefined);
    const reader = new FrameReader(1 << 20, (body) => {
      if (body.length === IGNORED_BYTES && body.readUInt16BE() === ignore) return;
      const copy = Buffer.from(body);
      const waiter = waiting.shift();
      if (waiter === undefined) frames.push(copy);
      else waiter(copy);
    });
    accepted.on('data', (chunk: Buffer) => {
      for (let at = 0; at < chunk.length; ) {
        const taken = chunk.copy(reader.room(), 0, at);
        at += taken;
        reader.filled(taken);
      }
    });
  });
  const socketPath = join(folder, 's');
  await once(server.listen(socketPath), 'listening');
  const connected = once(server, 'connection');
  const send = (...fields: readonly Field[]): void => void socket?.write(encode(encode(...fields)));
  const next = async (): Promise<Buffer> =>
    frames.shift() ?? (await new Promise<Buffer>((resolve) => waiting.push(resolve)));
  if (handshake) {
    const shake = async (): Promise<void> => {
      await connected;
      send(mux.hello, mux.version);
      await next();
      await next();
      send(mux.serverProxy, 0);
    };
    void shake();
  }
  return {
    socketPath,
    next,
    send,
    sendPacket: (type, ...fields) =>
      void socket?.write(encode(Buffer.concat([Buffer.from([0, type]), encode(...fields)]))),
    together: (send) => {
      socket?.cork();
      send();
      socket?.uncork();
    },
    stopReading: () => void socket?.pause(),
    readOn: () => void socket?.resume(),
    hangUp: () => void socket?.destroy(),
    async [Symbol.asyncDispose]() {
      socket?.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
