import { duplexPair } from 'node:stream';
import t from 'tap';
import { systemClock } from '@viassh/core';
import { createPppSession, type PacketCarrier, pppCarrier } from '@viassh/plugin-ppp';
import { createFakeClock, waitUntil } from '@viassh/testing';
import { ipv4, sideOptions, type Wishes } from '../ppp/ppp-world.ts';

const serverWishes: Wishes = { localAddress: '10.99.0.1', remoteAddress: '10.99.0.2' };

/** A client and a server of our own at the two ends of a wire. */
function link({ wishes = {}, highWaterMark = 65_536 }: { wishes?: Wishes; highWaterMark?: number } = {}) {
  const wires = duplexPair({ highWaterMark });
  const carrier = (wire: (typeof wires)[0], seed: number, said: Wishes): PacketCarrier =>
    pppCarrier(wire, (ends) =>
      createPppSession({ ...sideOptions(clock, seed, said, ends.output).options, ...ends, clock: systemClock }),
    );
  const clock = createFakeClock();
  return { wires, client: carrier(wires[0], 1, wishes), server: carrier(wires[1], 2, { ...serverWishes, ...wishes }) };
}

t.test('packets go both ways over a stream, in order, and the link ends in good order', async (t) => {
  const { client, server } = link({ wishes: { mru: 9000 } });
  t.match(await client.agreed, { mtu: 9000, addresses: [{ local: '10.99.0.2', remote: '10.99.0.1', prefix: 32 }] });
  await server.agreed;
  const [there, here] = [inbox(server), inbox(client)];
  const sent = Array.from({ length: 100 }, (_, index) => ipv4('10.99.0.2', '10.99.0.1', 20 + index * 89));
  t.equal(client.send(sent), 100);
  t.equal(server.send([ipv4('10.99.0.1', '10.99.0.2')]), 1);
  await waitUntil('all packets are there', () => there.length === 100 && here.length === 1);
  t.same(
    there,
    sent.map((packet) => packet.toString('hex')),
  );
  t.same(client.counters, { sent: 100, received: 1, droppedOut: 0, droppedIn: 0 });
  t.equal(client.send([ipv4('10.99.0.2', '10.99.0.1', 9001), Buffer.alloc(40)]), 0);
  t.equal(client.counters.droppedOut, 2);
  await client.close();
  await t.resolves(Promise.all([client.closed, server.closed]));
});

t.test(
  'an end that does not read: packets are dropped within a bound, and the link is alive when it reads again',
  async (t) => {
    const { client, server, wires } = link();
    await Promise.all([client.agreed, server.agreed]);
    inbox(client);
    const received = inbox(server);
    server.pause();
    const batch = Array.from({ length: 500 }, () => ipv4('10.99.0.2', '10.99.0.1', 1500));
    t.equal(client.send(batch), 500, 'a batch is taken whole');
    t.ok(client.full);
    let sent = 500;
    for (let round = 0; round < 20; round += 1) sent += client.send(batch);
    t.ok(sent < 10 * 500, `${sent} taken`);
    t.equal(client.counters.droppedOut, 21 * 500 - sent);
    t.ok(wires[0].writableLength < 6 * 1024 * 1024);
    server.resume();
    await client.ready();
    await waitUntil('what was taken arrives', () => received.length === sent);
    t.equal(client.send([ipv4('10.99.0.2', '10.99.0.1')]), 1);
    await waitUntil('and more', () => received.length === sent + 1);
    t.same(server.counters.droppedIn, 0);
    await server.close();
  },
);

t.test('without a handler nothing is lost: packets wait in the stream', async (t) => {
  const { client, server } = link();
  await Promise.all([client.agreed, server.agreed]);
  t.equal(client.send([ipv4('10.99.0.2', '10.99.0.1')]), 1);
  const received = inbox(server);
  await waitUntil('the packet is there', () => received.length === 1);
  await client.close();
});

t.test('a stream that breaks or ends is told, with its own error', async (t) => {
  const broken = link();
  broken.wires[0].destroy(new Error('wire torn'));
  await t.rejects(broken.client.agreed, { code: 'CONNECTION_LOST', message: 'wire torn' });
  await t.rejects(broken.client.closed, { code: 'CONNECTION_LOST', message: 'wire torn' });
  t.equal(broken.client.send([ipv4('10.99.0.2', '10.99.0.1')]), 0);
  await broken.server.closed.catch(() => undefined);
  const ended = link();
  await Promise.all([ended.client.agreed, ended.server.agreed]);
  inbox(ended.client);
  ended.wires[1].end();
  await t.rejects(ended.client.closed, { code: 'PPP_SILENT' });
  ended.wires[1].destroy();
});

/** Packets that came out, copied: the buffers are the carrier's. */
function inbox(carrier: PacketCarrier): string[] {
  const packets: string[] = [];
  carrier.onPackets((batch) => packets.push(...batch.map((packet) => packet.toString('hex'))));
  return packets;
}
