import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';

/** A relay that hands over in turns; each connection through it counts. */
export interface TurnRelay {
  readonly port: number;
  /** Of the last connection: how often it took all that the client had to say before any of the answers. */
  readonly turns: number;
}

/** A side that says nothing for so long waits for the other. On a busy machine it may be thought to wait and does not. */
const QUIET_MS = 25;

/**
 * A line as long as can be: what the client says is handed over only when it says no more, then what the server answers,
 * and so on. The turns are the round trips that the client waits for, whatever time they take here; the one of TCP's own
 * handshake is not among them.
 */
export async function startTurnRelay(t: Pick<Test, 'teardown'>, serverPort: number): Promise<TurnRelay> {
  const sockets: Socket[] = [];
  const relay = { port: 0, turns: 0 };
  const server = createServer((client) => {
    const far = connect({ host: '127.0.0.1', port: serverPort, noDelay: true });
    sockets.push(client.setNoDelay(true), far);
    relay.turns = 0;
    void takeTurns(client, far, () => (relay.turns += 1));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  relay.port = (server.address() as AddressInfo).port;
  return relay;
}

async function takeTurns(client: Socket, far: Socket, count: () => void): Promise<void> {
  const fromClient = collect(client, far);
  const fromFar = collect(far, client);
  while (!client.destroyed && !far.destroyed) {
    const up = await fromClient();
    if (up.length > 0) {
      count();
      far.write(up);
    }
    const down = await fromFar();
    if (down.length > 0) client.write(down);
  }
}

/** Gives what came since the last time, when nothing more has come for a while. */
function collect(from: Socket, other: Socket): () => Promise<Buffer> {
  let chunks: Buffer[] = [];
  let last = performance.now();
  from.on('error', () => undefined);
  from.on('close', () => other.destroy());
  from.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    last = performance.now();
  });
  return async () => {
    last = performance.now();
    while (!from.destroyed && performance.now() - last < QUIET_MS) await delay(5);
    const taken = Buffer.concat(chunks);
    chunks = [];
    return taken;
  };
}
