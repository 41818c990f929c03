import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Where in the dialogue a connection is cut. */
export type CutAt = 'before the greeting' | 'after MAIL' | 'inside DATA' | 'after the final dot';

/** All places in which a connection can be cut. */
export const cuts: readonly CutAt[] = ['before the greeting', 'after MAIL', 'inside DATA', 'after the final dot'];

/** A port in front of a mail server's that cuts connections, or has them fall silent. */
export interface CuttingProxy extends AsyncDisposable {
  readonly port: number;
  /** Where the next connection is cut; undefined, as it is when that has happened: nowhere. */
  cutAt: CutAt | undefined;
  /** Instead of a cut, nothing passes any more, and both sides stay. */
  silent: boolean;
  /** How many were cut. */
  readonly count: number;
}

/** Starts one in front of the port that `server()` gives. */
export async function startCuttingProxy(server: () => number): Promise<CuttingProxy> {
  const sockets = new Set<Socket>();
  const listener = createServer((client) => {
    const far = connect(server(), '127.0.0.1');
    for (const socket of [client, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
    }
    let silent = false;
    const cut = (): void => {
      proxy.count += 1;
      proxy.cutAt = undefined;
      silent = proxy.silent;
      if (silent) return;
      client.resetAndDestroy();
      far.resetAndDestroy();
    };
    let said = '';
    client.on('data', (chunk: Buffer) => {
      if (silent) return;
      said += chunk.toString('latin1');
      if (proxy.cutAt === 'inside DATA' && /^DATA\r\n[^]{100}/m.test(said)) cut();
      else far.write(chunk);
    });
    far.on('data', (chunk: Buffer) => {
      if (silent) return;
      const sent = /^DATA\r\n[^]*\r\n\.\r\n/m.test(said);
      if (proxy.cutAt === 'before the greeting') cut();
      else if (proxy.cutAt === 'after MAIL' && /^MAIL /m.test(said)) cut();
      // What comes after all was sent is the answer to the final dot: the server has taken the mail.
      else if (proxy.cutAt === 'after the final dot' && sent && /^250 .*\r\n$/m.test(chunk.toString('latin1'))) cut();
      else client.write(chunk);
    });
    client.once('end', () => far.end());
    far.once('end', () => client.end());
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const proxy = {
    port: (listener.address() as AddressInfo).port,
    cutAt: undefined as CutAt | undefined,
    silent: false,
    count: 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
  return proxy;
}
