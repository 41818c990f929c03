import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { authorityFile, makeScratchFolder } from '@viassh/testing';
import type { Test } from 'tap';
import type { X11Display } from '../src/x11-display.ts';

/** What a client printed, and its exit code. */
export interface ClientOutput {
  readonly code: number;
  readonly text: string;
  readonly bytes: Buffer;
}

/** The far end in front of a display: a place where X clients connect, whose streams the display serves. */
export interface FarDisplay {
  readonly port: number;
  /** Without a cookie: with the one that the display gave out. */
  run(file: string, args?: readonly string[], cookie?: string): Promise<ClientOutput>;
  /** A client that says nothing yet. */
  dial(): Promise<Socket>;
}

/** Gone with the test. */
export async function farDisplay(t: Test, display: Pick<X11Display, 'serve' | 'cookie'>): Promise<FarDisplay> {
  const folder = await makeScratchFolder();
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    display.serve(socket, { address: '192.0.2.1', port: 1 });
  });
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await folder[Symbol.asyncDispose]();
  });
  const port = await listenAbove(server);
  let files = 0;
  return {
    port,
    async run(file, args = [], cookie = display.cookie) {
      const XAUTHORITY = join(folder.path, `${++files}`);
      await writeFile(XAUTHORITY, authorityFile([{ family: 'wild', address: '', number: '', cookie }]));
      const env = { ...process.env, XAUTHORITY, DISPLAY: `127.0.0.1:${port - 6000}` };
      const options = { env, encoding: 'buffer', maxBuffer: 2 ** 26, timeout: 30_000 } as const;
      try {
        const { stdout } = await promisify(execFile)(file, args, options);
        return { code: 0, text: stdout.toString(), bytes: stdout };
      } catch (error) {
        const { code, stderr } = error as { code: number; stderr: Buffer };
        return { code, text: stderr.toString(), bytes: stderr };
      }
    },
    async dial() {
      const socket = connect({ port, host: '127.0.0.1' }).on('error', () => undefined);
      t.teardown(() => void socket.destroy());
      await once(socket, 'connect');
      return socket;
    },
  };
}

/** Displays have ports above 6000. */
async function listenAbove(server: Server): Promise<number> {
  await once(server.listen({ host: '127.0.0.1', port: 0 }), 'listening');
  return (server.address() as AddressInfo).port;
}
