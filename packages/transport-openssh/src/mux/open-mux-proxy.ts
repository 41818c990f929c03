import { connect, type Socket } from 'node:net';
import { ViasshError } from '@viassh/core';
import { FrameReader } from './frame-reader.ts';
import { mux } from './messages.ts';
import { encode, WireReader } from './wire.ts';

const LONGEST_FRAME = 512 * 1024; // the master never sends more than one SSH packet

/** Who gets what comes from a control socket in proxy mode. */
export interface FrameHandler {
  /** A slice of memory that nobody writes to again. */
  readonly frame: (body: Buffer) => void;
  /** Around the frames of one read. */
  readonly readStarts: () => void;
  readonly readEnds: () => void;
}

/** A control socket that was switched to proxy mode: from here on frames are SSH packets. */
export interface MuxProxy {
  /** Never paused: the master keeps for us what we do not take, at a price that grows with its square. */
  readonly socket: Socket;
  /** Takes over the frames; to be called before the event loop turns again. */
  take(handler: FrameHandler): void;
}

/**
 * Connects to the control socket of a master of ours and switches it to proxy mode (OpenSSH ≥ 7.4). Never for a master
 * that belongs to somebody else: a client of this mode can take its master down.
 *
 * @throws ViasshError PROTOCOL_ERROR, CONNECTION_LOST
 */
export async function openMuxProxy(socketPath: string): Promise<MuxProxy> {
  return await new Promise<MuxProxy>((resolve, reject) => {
    let handler: FrameHandler = { frame: handshake, readStarts: () => undefined, readEnds: () => undefined };
    let sawHello = false;
    const reader = new FrameReader(LONGEST_FRAME, (body) => handler.frame(body));
    const read = (bytes: number): boolean => {
      const { readStarts, readEnds } = handler;
      readStarts();
      try {
        reader.filled(bytes);
      } catch (error) {
        socket.destroy(error as Error);
      } finally {
        readEnds();
      }
      return true;
    };
    const socket = connect({ path: socketPath, onread: { buffer: () => reader.room(), callback: read } });
    socket.once('error', onError).once('close', onClose);

    function handshake(body: Buffer): void {
      const fields = new WireReader(body);
      const type = fields.uint32();
      if (type === mux.hello && !sawHello && fields.uint32() === mux.version) {
        sawHello = true;
        socket.cork();
        socket.write(frame(encode(mux.hello, mux.version)));
        socket.write(frame(encode(mux.clientProxy, 0)));
        socket.uncork();
      } else if (type === mux.serverProxy && sawHello) {
        socket.off('error', onError).off('close', onClose);
        resolve({ socket, take: (next) => (handler = next) });
      } else fail(`message 0x${type.toString(16)} instead of a hello`);
    }

    function onError(error: Error): void {
      fail(error.message, error);
    }

    function onClose(): void {
      fail('it closed the socket');
    }

    function fail(why: string, cause?: unknown): void {
      socket.destroy();
      reject(
        new ViasshError('CONNECTION_LOST', `the ssh master does not answer on its control socket: ${why}`, { cause }),
      );
    }
  });
}

function frame(body: Buffer): Buffer {
  return encode(body); // a frame is `uint32 length | body`, as an SSH string is
}
