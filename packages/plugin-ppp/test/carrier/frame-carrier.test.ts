import { type Duplex, duplexPair } from 'node:stream';
import t from 'tap';
import { type FrameOffer, frameCarrier, type PacketCarrier } from '@viassh/plugin-ppp';
import { createFakeClock, waitUntil } from '@viassh/testing';
import { ipv4 } from '../ppp/ppp-world.ts';

const near: FrameOffer = {
  end: 'near',
  mode: 'point-to-point',
  vnetHeader: true,
  mtu: 65_535,
  addresses: [],
  dns: [],
};
const far: FrameOffer = { ...near, end: 'far', mtu: 9000, dns: ['10.7.0.53'] };
const nearWithAddresses: FrameOffer = {
  ...near,
  addresses: [{ local: '10.7.0.1', remote: '10.7.0.2' }, { remote: 'fd00::2' }],
};
const farWithAddresses: FrameOffer = {
  ...far,
  addresses: [{ local: 'fd00:0::2', remote: 'FD00::1', prefix: 64 }],
};

/** A packet of so many bytes, told apart by `mark`; large enough for both headers. */
function packet(length: number, mark = 0): Buffer {
  const bytes = Buffer.alloc(length, mark);
  bytes[0] = 0x45;
  return bytes;
}

/** Packets that came out, copied: the buffers are the carrier's. */
function inbox(carrier: PacketCarrier): string[] {
  const packets: string[] = [];
  carrier.onPackets((batch) => packets.push(...batch.map((bytes) => bytes.toString('hex'))));
  return packets;
}

async function carriers({ left = near, right = far }: { left?: FrameOffer; right?: FrameOffer } = {}) {
  const [a, b] = duplexPair();
  const pair = {
    near: frameCarrier(a, { offer: left }),
    far: frameCarrier(b, { offer: right }),
    wires: [a, b] as const,
  };
  for (const carrier of [pair.near, pair.far]) carrier.onPackets(() => undefined);
  await Promise.all([pair.near.agreed, pair.far.agreed]);
  return pair;
}

/** A stream whose other end says something that no carrier says. */
function talk(...words: (string | Buffer)[]): { stream: Duplex; end: Duplex } {
  const [stream, end] = duplexPair();
  for (const word of words) end.write(word);
  end.resume();
  return { stream, end };
}

t.test(
  'both ends agree: addresses from whoever knows them, the smaller MTU, name servers of the other end',
  async (t) => {
    const pair = await carriers({ left: nearWithAddresses, right: farWithAddresses });
    t.same(await pair.near.agreed, {
      mtu: 9000,
      vnetHeader: true,
      addresses: [
        { local: '10.7.0.1', remote: '10.7.0.2', prefix: 32 },
        { local: 'fd00::1', remote: 'fd00::2', prefix: 128 },
      ],
      dns: ['10.7.0.53'],
    });
    t.same((await pair.far.agreed).addresses, [
      { local: '10.7.0.2', remote: '10.7.0.1', prefix: 32 },
      { local: 'fd00::2', remote: 'fd00::1', prefix: 64 },
    ]);
    t.same((await pair.far.agreed).dns, []);
    t.ok(pair.near.vnetHeader && pair.far.vnetHeader);
    await pair.near.close();
    const without = await carriers({ right: { ...far, vnetHeader: false } });
    t.notOk(without.near.vnetHeader || without.far.vnetHeader, 'an end that has no segmentation decides for both');
    await without.far.close();
  },
);

t.test('packets arrive whole and in order, both ways, behind whatever a shell says first', async (t) => {
  const [a, b] = duplexPair();
  a.write('Welcome!\r\n\0viassh li');
  const left = frameCarrier(a, { offer: near });
  const right = frameCarrier(b, { offer: far });
  await Promise.all([left.agreed, right.agreed]);
  const [atLeft, atRight] = [inbox(left), inbox(right)];
  const sent = Array.from({ length: 300 }, (_, index) => packet(30 + ((index * 7919) % 65_000), index));
  for (let at = 0; at < sent.length; at += 20) {
    const batch = sent.slice(at, at + 20);
    t.equal(left.send(batch), batch.length);
    t.equal(right.send(batch), batch.length);
    await Promise.all([left.ready(), right.ready()]);
  }
  await waitUntil('all packets are there', () => atLeft.length === sent.length && atRight.length === sent.length);
  const wanted = sent.map((bytes) => bytes.toString('hex'));
  t.same(atRight, wanted);
  t.same(atLeft, wanted);
  t.same(left.counters, { sent: 300, received: 300, droppedOut: 0, droppedIn: 0 });
  await Promise.all([left.close(), right.close()]);
  await t.resolves(Promise.all([left.closed, right.closed]), 'a goodbye on both sides at once is good order');
});

t.test('what cannot be a packet, or is larger than agreed, goes neither way', async (t) => {
  const pair = await carriers({ right: { ...far, vnetHeader: false, mtu: 1500 } });
  const received = inbox(pair.far);
  t.equal(pair.near.send([packet(1501), packet(1500), Buffer.alloc(0), packet(19), packet(20)]), 2);
  t.equal(pair.near.counters.droppedOut, 3);
  pair.wires[0].write(Buffer.from('00000003ffffff07000002ffff00000014', 'hex'));
  pair.wires[0].write(packet(20));
  await waitUntil('a frame of a kind that is not known is skipped', () => received.length === 3);
  t.match(pair.far.counters, { received: 3, droppedIn: 1 });
  await pair.near.close();
});

t.test(
  'an end that does not read: no more than a bound waits for it, and there is room again when it does',
  async (t) => {
    const pair = await carriers();
    pair.far.pause();
    const batch = Array.from({ length: 16 }, () => packet(60_000));
    t.notOk(pair.near.full);
    t.equal(pair.near.send(batch), 16, 'a batch is taken whole');
    t.ok(pair.near.full);
    let sent = 16;
    for (let round = 0; round < 50; round += 1) sent += pair.near.send(batch);
    t.ok(pair.wires[0].writableLength < 6 * 1024 * 1024);
    t.equal(pair.near.counters.droppedOut, 51 * 16 - sent);
    t.ok(pair.near.counters.droppedOut > 30 * 16);
    const received = inbox(pair.far);
    pair.far.resume();
    await pair.near.ready();
    t.notOk(pair.near.full);
    await waitUntil('what was taken arrives', () => received.length === sent);
    pair.far.pause();
    pair.near.send(batch);
    t.ok(pair.near.full, 'nobody reads');
    const waiting = pair.near.ready();
    pair.wires[0].destroy();
    await t.resolves(waiting);
    await t.resolves(pair.near.ready(), 'nobody waits for room on a link that has ended');
  },
);

t.test('packets from an address that the link has not are dropped and counted, behind a header too', async (t) => {
  for (const vnetHeader of [true, false]) {
    const left = { ...nearWithAddresses, vnetHeader };
    const pair = await carriers({ left, right: farWithAddresses });
    const received = inbox(pair.far);
    const header = Buffer.alloc(vnetHeader ? 10 : 0);
    const from = (source: string): Buffer => Buffer.concat([header, ipv4(source, '10.7.0.9')]);
    const own = from('10.7.0.1');
    t.equal(pair.near.send([from('10.8.0.1'), own, from('10.7.0.2'), from('127.0.0.1')]), 4);
    await waitUntil('all have come', () => pair.far.counters.received + pair.far.counters.droppedIn === 4);
    t.same(received, [own.toString('hex')]);
    await pair.near.close();
  }
});

t.test('contradictions and reflections are told, at both ends', async (t) => {
  const cases: readonly [Partial<FrameOffer>, string][] = [
    [{ end: 'near' }, 'PPP_LOOPED'],
    [{ mode: 'ethernet' }, 'PPP_FAILED'],
    [{ addresses: [{ remote: '10.7.0.9' }] }, 'PPP_FAILED'],
  ];
  for (const [said, code] of cases) {
    const [a, b] = duplexPair();
    const pair = [frameCarrier(a, { offer: nearWithAddresses }), frameCarrier(b, { offer: { ...far, ...said } })];
    for (const end of pair) {
      await t.rejects(end.agreed, { code });
      await t.rejects(end.closed, { code });
    }
  }
});

t.test('a far end that is no viassh is told with what it says', async (t) => {
  const missing = talk('sh: viassh: not found\n');
  missing.end.end();
  await t.rejects(frameCarrier(missing.stream, { offer: near }).agreed, {
    code: 'FAR_LINK_MISSING',
    message: /ended: sh: viassh: not found$/,
  });
  const endless = talk(Buffer.alloc(70_000, 'x'));
  await t.rejects(frameCarrier(endless.stream, { offer: near }).agreed, {
    code: 'FAR_LINK_MISSING',
    message: /answers something else/,
  });
  const hostile = [
    '{',
    '[]',
    'null',
    '{}',
    JSON.stringify({ ...far, mtu: 20 }),
    JSON.stringify({ ...far, dns: ['10.0.0.1; reboot'] }),
    JSON.stringify({ ...far, dns: ['10.0.0.1\n'] }),
    JSON.stringify({ ...far, addresses: [{ local: '10.0.0.1 dev eth0' }] }),
    JSON.stringify({ ...far, addresses: [{ local: 'fe80::1%eth0' }] }),
    JSON.stringify({ ...far, addresses: [{ local: '10.0.0.1', remote: 'fd00::1' }] }),
    JSON.stringify({ ...far, addresses: [{ local: '10.0.0.1', prefix: '24 dev eth0' }] }),
    JSON.stringify({ ...far, addresses: [{ prefix: 24 }] }),
  ];
  for (const json of hostile) {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(json.length);
    const { stream } = talk('\0viassh link\0', length, json);
    await t.rejects(frameCarrier(stream, { offer: near }).agreed, { code: 'FAR_LINK_MISSING' }, json);
  }
});

t.test('a far end that says nothing is given up', async (t) => {
  const clock = createFakeClock();
  const [stream] = duplexPair();
  const carrier = frameCarrier(stream, { offer: near, clock, helloTimeoutMs: 5000 });
  await clock.advance(5000);
  await t.rejects(carrier.agreed, { code: 'PPP_SILENT' });
  t.same(clock.pending, []);
});

t.test(
  'an end without a goodbye is a loss, one with it is not; closing waits for the answer, not for ever',
  async (t) => {
    const cut = await carriers();
    cut.wires[1].end();
    await t.rejects(cut.near.closed, { code: 'CONNECTION_LOST' });
    const broken = await carriers();
    broken.wires[0].destroy(new Error('wire torn'));
    await t.rejects(broken.near.closed, { code: 'CONNECTION_LOST', message: 'wire torn' });
    const nonsense = await carriers();
    nonsense.wires[0].write(Buffer.from('00ffffff', 'hex'));
    await t.rejects(nonsense.far.closed, { code: 'PPP_FAILED' });

    const clock = createFakeClock();
    const [a, b] = duplexPair();
    const left = frameCarrier(a, { offer: near, clock });
    const right = frameCarrier(b, { offer: far });
    await Promise.all([left.agreed, right.agreed]);
    const closing = left.close(); // the other end is paused: it has no handler
    await clock.advance(2000);
    await t.resolves(closing);
    await t.resolves(left.closed);
    t.equal(left.send([packet(100)]), 0);
    right.onPackets(() => undefined);
    await t.resolves(right.closed, 'it had said goodbye');
  },
);
