import { once } from 'node:events';
import type { Socket } from 'node:net';
import process from 'node:process';
import { type Forward, forwardLocal, forwardRemote } from '@viassh/plugin-forward';
import { waitUntil } from '@viassh/testing';
import t from 'tap';
import { client, echo, type ForwardWorld, forwardWorld, listener, loopback, placeOf } from './forward-world.ts';

const rounds = 400;
const seed = Number(process.env.VIASSH_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** mulberry32: the same numbers for the same seed. */
function randomFrom(start: number): (below: number) => number {
  let state = start;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Node loses a socket that is reset while its end is on the way: libuv refuses, and nobody closes it. */
function reset(socket: Socket | undefined): void {
  if (socket?.writableEnded === false) socket.resetAndDestroy();
  else socket?.destroy();
}

const kinds: Readonly<Record<string, (world: ForwardWorld, port: number) => Promise<Forward>>> = {
  local: ({ connection, onEvent }, port) =>
    forwardLocal(connection, { listen: loopback, to: { kind: 'tcp', host: '127.0.0.1', port } }, { onEvent }),
  remote: ({ connection, onEvent }, port) => {
    const to = { kind: 'tcp', host: '127.0.0.1', port } as const;
    return forwardRemote(connection, { listen: { kind: 'tcpip', port: 0 }, to }, { onEvent });
  },
};

for (const [kind, start] of Object.entries(kinds)) {
  t.test(
    `${kind}: clients and targets that die at any moment leave nothing, and cost nobody else a byte`,
    async (t) => {
      t.comment(`VIASSH_TEST_SEED=${seed}`);
      const random = randomFrom(seed);
      const world = await forwardWorld(t, { windowSize: 32 * 1024 });
      const targets: Socket[] = [];
      const { port } = await listener(t, (socket) => {
        targets.push(socket);
        if (random(4) > 0) echo(socket); // the others read nothing
      });
      const { port: echoPort } = await listener(t, echo);
      await using forward = await start(world, port);
      await using steady = await start(world, echoPort);
      const witness = await client(t, placeOf(steady));
      let heard = 0;
      let said = 0;
      witness.on('data', (chunk) => (heard += chunk.length));
      const clients: Socket[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const [one, target] = [
          clients[random(Math.max(1, clients.length))],
          targets[random(Math.max(1, targets.length))],
        ];
        const deed = random(9);
        if (deed < 3 || one === undefined) clients.push(await client(t, placeOf(forward)));
        else if (deed === 3) one.write(Buffer.alloc(random(200_000)));
        else if (deed === 4) reset(one);
        else if (deed === 5) one.destroy();
        else if (deed === 6) one.end(Buffer.alloc(random(1000)));
        else if (deed === 7) reset(target);
        else target?.end();
        if (random(3) === 0) one?.resume();
        if (round % 20 === 0) {
          witness.write('x'.repeat(500));
          said += 500;
        }
      }
      await waitUntil('the witness to have heard all', () => heard === said);
      for (const socket of clients) socket.destroy();
      await waitUntil('nobody to be there', () => {
        for (const socket of targets.splice(0)) socket.destroy(); // some are connected only now
        return forward.counters.accepted === clients.length && forward.counters.open === 0;
      });
      t.same(forward.connections(), []);
      const { accepted, refused } = forward.counters;
      const opened = world.events.filter((event) => event.kind === 'opened').length - 1; // without the witness
      const closed = world.events.filter((event) => event.kind === 'closed').length;
      t.equal(accepted, opened + refused, 'each was opened or refused');
      t.equal(closed, opened, 'and what was opened is closed');
      witness.end();
      await once(witness, 'end');
    },
  );
}

t.test('a connection that is lost with clients in every state leaves none of them', async (t) => {
  t.comment(`VIASSH_TEST_SEED=${seed}`);
  const random = randomFrom(seed);
  const world = await forwardWorld(t, { windowSize: 32 * 1024 });
  const { port } = await listener(t, (socket) => {
    if (random(3) === 0) socket.end('all there is');
    else if (random(2) === 0) socket.write(Buffer.alloc(random(8_000_000)));
    else echo(socket);
  });
  const to = { kind: 'tcp', host: '127.0.0.1', port } as const;
  const forward = await forwardLocal(world.connection, { listen: loopback, to }, { onEvent: world.onEvent });
  const clients = await Promise.all(Array.from({ length: 100 }, () => client(t, placeOf(forward))));
  await waitUntil('all to be through', () => forward.counters.accepted === 100);
  for (const socket of clients) {
    if (random(2) === 0) socket.write(Buffer.alloc(random(500_000)));
    if (random(3) === 0) socket.end();
    if (random(2) === 0) socket.resume();
  }
  world.transport.server.cut();
  await forward.closed;
  await forward.close(); // those that read nothing
  t.match(forward.counters, { open: 0, accepted: 100 });
  for (const socket of clients) socket.resume();
  await waitUntil('every client to have heard of it', () =>
    clients.every((socket) => socket.readableEnded || socket.destroyed),
  );
});
