import t from 'tap';
import { insecureAcceptAnyHostKey, longestPacket, type PacketChannel, silentLogger } from '@viassh/core';
import { tunCarrier } from '@viassh/plugin-ppp';
import { createMemoryTransport, echoRequest, memoryRoute, waitUntil } from '@viassh/testing';
import { ipv4 } from '../ppp/ppp-world.ts';

const addresses = [{ local: '10.5.0.1', remote: '10.5.0.2', prefix: 32 }];

/** A tun channel of the memory transport: the network behind it answers echo requests. */
async function openChannel(): Promise<PacketChannel> {
  const connection = await createMemoryTransport().connect(memoryRoute(), {
    verifyHostKey: insecureAcceptAnyHostKey(silentLogger),
    log: silentLogger,
  });
  return connection.openTun({ mode: 'point-to-point' });
}

t.test('what the user has told is agreed, and packets go both ways', async (t) => {
  await using carrier = tunCarrier(await openChannel(), { mtu: 65_535, addresses });
  t.same(await carrier.agreed, { mtu: longestPacket, addresses, dns: [] });
  const answers: Buffer[] = [];
  carrier.onPackets((packets) => answers.push(...packets.map((packet) => Buffer.from(packet))));
  t.equal(carrier.send([echoRequest({ from: '10.5.0.1', to: '10.5.0.2', sequence: 7 })]), 1);
  await waitUntil('the answer', () => answers.length === 1);
  t.equal(answers[0]?.readUInt16BE(26), 7);
  // The network sends back what it does not know with its addresses swapped: it then comes from the one that it was for.
  t.equal(carrier.send([ipv4('10.6.0.1', '10.5.0.1'), ipv4('10.6.0.1', '10.6.0.2'), ipv4('10.5.0.1', '10.5.0.2')]), 3);
  await waitUntil('all have come', () => carrier.counters.received === 4);
  await waitUntil('what was taken is there', () => answers.length === 2);
  t.equal(carrier.counters.droppedIn, 2, 'from ourselves, and from a stranger to a stranger');
});

t.test('a channel without room is full until it has some', async (t) => {
  const carrier = tunCarrier(await openChannel(), { mtu: 1500, addresses });
  t.notOk(carrier.full);
  const flood = Array.from({ length: 3000 }, () => ipv4('10.5.0.1', '10.5.0.2', 1500));
  const sent = carrier.send(flood);
  t.ok(sent > 0 && sent < flood.length);
  t.ok(carrier.full);
  await carrier.ready();
  t.notOk(carrier.full);
  t.equal(carrier.send(flood.slice(0, 1)), 1);
  carrier.send(flood);
  await carrier.close();
  await t.resolves(carrier.closed);
  t.notOk(carrier.full, 'nobody waits for a link that has ended');
});
