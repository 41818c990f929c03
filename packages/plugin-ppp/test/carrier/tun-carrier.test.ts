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

t.test('a batch that finds no room in the channel waits for it, and is not lost', async (t) => {
  await using carrier = tunCarrier(await openChannel(), { mtu: 1500, addresses });
  const answers: number[] = [];
  carrier.onPackets((packets) => answers.push(...packets.map((packet) => packet.readUInt16BE(26))));
  const windows = Array.from({ length: 2200 }, (_, sequence) => echo(sequence));
  const noPacket = Buffer.alloc(40);
  t.notOk(carrier.full);
  t.equal(carrier.send([noPacket, ...windows]), windows.length, 'more than a window, all taken');
  t.ok(carrier.full);
  for (const packet of windows) packet.fill(0); // the buffers are ours again
  await carrier.ready();
  t.notOk(carrier.full);
  t.equal(carrier.send([echo(2200)]), 1);
  await waitUntil('the last answer', () => answers.at(-1) === 2200);
  t.strictSame(
    answers,
    Array.from({ length: 2201 }, (_, sequence) => sequence),
    'all, in order',
  );
  t.match(carrier.counters, { sent: 2201, droppedOut: 1 });
});

t.test('what waits for room is bounded, and nobody waits for a link that has ended', async (t) => {
  const carrier = tunCarrier(await openChannel(), { mtu: 1500, addresses });
  const flood = Array.from({ length: 6000 }, () => ipv4('10.5.0.1', '10.5.0.2', 1500));
  const taken = carrier.send(flood);
  t.ok(taken < flood.length);
  t.equal(carrier.counters.droppedOut, flood.length - taken);
  t.ok(carrier.full);
  const waiting = carrier.ready();
  await carrier.close();
  await t.resolves(carrier.closed);
  await t.resolves(waiting);
  t.notOk(carrier.full);
  t.equal(carrier.send(flood.slice(0, 1)), 0);
  t.equal(carrier.counters.sent + carrier.counters.droppedOut, flood.length + 1, 'each was sent or dropped');
});

function echo(sequence: number): Buffer {
  return echoRequest({ from: '10.5.0.1', to: '10.5.0.2', sequence, payload: Buffer.alloc(1400) });
}
