import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type ListenOptions, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { scratchPrefix } from '../sshd/scratch-folder.ts';

/** A place where the memory server listens, for real, on this machine. */
export interface FarListener {
  /** 0 for a Unix socket. */
  readonly port: number;
  /** Listens no more; who is connected stays. */
  close(): void;
}

/** Each of the display numbers that sshd uses: X11DisplayOffset 10 and what follows. */
const displays = { first: 10, last: 999 };

/** @throws Error of `listen`, e.g. EADDRINUSE */
export async function listenThere(place: ListenOptions, take: (socket: Socket) => void): Promise<FarListener> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    take(socket);
  });
  await once(server.listen(place), 'listening');
  const address = server.address() as AddressInfo | string;
  return { port: typeof address === 'string' ? 0 : address.port, close: () => void server.close() };
}

/** An X11 display of the far end: `DISPLAY` leads to it. */
export async function listenAsDisplay(
  screen: number,
  take: (socket: Socket) => void,
): Promise<FarListener & { readonly display: string }> {
  for (let number = displays.first; ; number += 1) {
    try {
      const listener = await listenThere({ host: '127.0.0.1', port: 6000 + number }, take);
      return { ...listener, display: `127.0.0.1:${number}.${screen}` };
    } catch (error) {
      if (number === displays.last) throw error;
    }
  }
}

/** A Unix socket in a folder of its own: `SSH_AUTH_SOCK` leads to it. */
export async function listenAsAgent(take: (socket: Socket) => void): Promise<FarListener & { readonly path: string }> {
  const folder = mkdtempSync(join(tmpdir(), `${scratchPrefix}${process.pid}-agent-`));
  const path = join(folder, 'socket');
  const listener = await listenThere({ path }, take);
  return {
    port: 0,
    path,
    close() {
      listener.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
