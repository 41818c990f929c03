import { connect, type Socket } from 'node:net';
import { ViasshError } from '@viassh/core';
import { FrameReader } from './frame-reader.ts';
import { mux } from './messages.ts';
import { encode, WireReader } from './wire.ts';

const LONGEST_FRAME = 512 * 1024; // the master never sends more than one SSH packet

/** A control socket that was switched to proxy mode: from here on frames are SSH packets. */
export interface MuxProxy {
  readonly socket: Socket;
  /** Takes over the frames; to be called before the event loop turns again. */
  onFrame(handler: (body: Buffer) => void): void;
}

/**
 * Connects to the control socket of a master of ours and switches it to proxy mode (OpenSSH ≥ 7.4). Never for a master
 * that belongs to somebody else: a client of this mode can take its master down.
 *
 * @throws ViasshError PROTOCOL_ERROR, CONNECTION_LOST
 */
export async function openMuxProxy(socketPath: string): Promise<MuxProxy> {
  const socket = connect(socketPath);
  return await new Promise<MuxProxy>((resolve, reject) => {
    let handler = (body: Buffer): void => handshake(body);
    let sawHello = false;
    const reader = new FrameReader(LONGEST_FRAME, (body) => handler(body));
    const fail = (why: string, cause?: unknown): void => {
      socket.destroy();
      reject(
        new ViasshError('CONNECTION_LOST', `the ssh master does not answer on its control socket: ${why}`, { cause }),
      );
    };
    const onError = (error: Error): void => fail(error.message, error);
    const onClose = (): void => fail('it closed the socket');
    const handshake = (body: Buffer): void => {
      const fields = new WireReader(body);
      const type = fields.uint32();
      if (type === mux.hello && !sawHello && fields.uint32() === mux.version) {
        sawHello = true;
        socket.write(frame(encode(mux.hello, mux.version)));
        socket.write(frame(encode(mux.clientProxy, 0)));
      } else if (type === mux.serverProxy && sawHello) {
        socket.off('error', onError).off('close', onClose);
        resolve({ socket, onFrame: (next) => (handler = next) });
      } else fail(`message 0x${type.toString(16)} instead of a hello`);
    };
    socket.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk);
      } catch (error) {
        socket.destroy(error as Error);
      }
    });
    socket.once('error', onError).once('close', onClose);
  });
}

function frame(body: Buffer): Buffer {
  return encode(body); // a frame is `uint32 length | body`, as an SSH string is
}
