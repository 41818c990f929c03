import t from 'tap';
import { seededRandom } from '../random.ts';
import { ipv4, opened, pppWorld, run } from './ppp-world.ts';
import { rawPeer } from './raw-peer.ts';

t.test(
  'a client that asks for everything gets its address, name servers and IPv6, and packets go both ways',
  async (t) => {
    const world = await opened(
      pppWorld(
        { askDns: true, ipv6: true, mru: 16000 },
        { offerDns: ['10.99.0.1', '9.9.9.9'], ipv6: true, mru: 16000 },
      ),
    );
    const [here, there] = await Promise.all([world.client.session.agreed, world.server.session.agreed]);
    t.match(here, { mtu: 16000, dns: ['10.99.0.1', '9.9.9.9'] });
    t.same(here.addresses[0], { local: '10.99.0.2', remote: '10.99.0.1', prefix: 32 });
    t.same(there.addresses[0], { local: '10.99.0.1', remote: '10.99.0.2', prefix: 32 });
    t.match(here.addresses[1]?.local, /^fe80::/);
    t.equal(here.addresses[1]?.local, there.addresses[1]?.remote);
    const ping = ipv4('10.99.0.2', '10.99.0.1', 16000);
    t.equal(world.client.session.send([ping]), 1);
    t.equal(world.server.session.send([ipv4('10.99.0.1', '10.99.0.2')]), 1);
    await world.settle();
    t.same(world.server.packets, [ping]);
    t.equal(world.client.packets.length, 1);
    await Promise.all([world.client.session.close(), run(world, 4000)]);
    await Promise.all([world.client.session.closed, world.server.session.closed]);
    t.same(world.clock.pending, [], 'no timer is left');
  },
);

const secret = 'wonder land';
const demand = { name: 'server', secretOf: (name: string) => (name === 'alice' ? secret : undefined) };
const alice = { credentials: { name: 'alice', secret } };

t.test('a wire that loses two frames of ten does not keep two sides from agreeing', async (t) => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const random = seededRandom(seed);
    const protocol = seed % 2 === 0 ? 'pap' : 'chap-md5';
    const world = pppWorld(
      { ...alice, ipv6: true, askDns: true },
      { demand: { ...demand, protocol }, ipv6: true, offerDns: ['9.9.9.9'] },
      seed,
    );
    world.lose = () => random() < 0.2;
    await opened(world, 60_000, 1000);
    const terms = await Promise.all([world.client.session.agreed, world.server.session.agreed]).catch(
      (error: unknown) => error,
    );
    t.match(
      terms,
      [{ addresses: { 0: { local: '10.99.0.2' } } }, { addresses: { 0: { local: '10.99.0.1' } } }],
      `seed ${seed}`,
    );
  }
});

for (const protocol of ['pap', 'chap-md5'] as const) {
  t.test(`${protocol}, each side of the other, and a wrong secret`, async (t) => {
    const both = { ...alice, demand: { ...demand, protocol } };
    const good = await opened(pppWorld(both, both));
    await Promise.all([good.client.session.agreed, good.server.session.agreed]);
    const wrong = await opened(
      pppWorld({ credentials: { name: 'alice', secret: 'wonderland' } }, { demand: both.demand }),
    );
    for (const { session, log } of [wrong.client, wrong.server]) {
      await t.rejects(session.agreed, { code: 'PPP_AUTH_FAILED', message: /alice/ });
      t.notMatch(log.join('\n'), /wonder/, 'no secret is written down');
    }
    await run(wrong, 7000);
    for (const { session } of [wrong.client, wrong.server])
      await t.rejects(session.closed, { code: 'PPP_AUTH_FAILED' });
    t.same(wrong.clock.pending, []);
  });
}

t.test('who has no secret for a far end that wants one is told so', async (t) => {
  const world = await opened(pppWorld({}, { demand: { ...demand, protocol: 'pap' } }), 7000);
  await t.rejects(world.client.session.agreed, { code: 'PPP_AUTH_FAILED', hint: /--secret-file/ });
  await t.rejects(world.server.session.agreed, { code: 'PPP_AUTH_FAILED' });
});

t.test('addresses: those both sides were told to have; without any there is no link', async (t) => {
  const fixed = await opened(pppWorld({ localAddress: '10.99.0.2', remoteAddress: '10.99.0.1' }));
  t.match((await fixed.client.session.agreed).addresses, [{ local: '10.99.0.2', remote: '10.99.0.1' }]);
  const other = await opened(pppWorld({ localAddress: '10.99.0.7' }), 7000);
  await t.rejects(other.client.session.agreed, { code: 'PPP_FAILED', message: /10\.99\.0\.2.*10\.99\.0\.7/ });
  const none = await opened(pppWorld({}, { localAddress: undefined, remoteAddress: undefined }), 7000);
  await t.rejects(none.client.session.agreed, { code: 'PPP_FAILED' });
});

t.test('IPv6 is no condition: a far end without it, and one that says nothing of it', async (t) => {
  const without = await opened(pppWorld({ ipv6: true }));
  t.equal((await without.client.session.agreed).addresses.length, 1);
  const peer = rawPeer({ ipv6: true });
  peer.openLcp();
  await peer.openIpcp();
  await peer.clock.advance(2300);
  t.equal((await peer.session.agreed).addresses.length, 1);
});

t.test('what is too large for the other side, or of a family that is not open, does not go', async (t) => {
  const world = await opened(pppWorld({ mru: 9000 }, { mru: 1400 }));
  t.equal((await world.client.session.agreed).mtu, 1400);
  t.equal((await world.server.session.agreed).mtu, 1400);
  const packets = [
    ipv4('10.99.0.2', '10.99.0.1', 1400),
    ipv4('10.99.0.2', '10.99.0.1', 1401),
    Buffer.alloc(60, 0x60),
    Buffer.alloc(0),
  ];
  t.equal(world.client.session.send(packets), 1);
  await world.settle();
  t.equal(world.server.packets.length, 1);
  t.match(world.client.session.counters, { sent: 1, droppedOut: 3 });
});

t.test(
  'compression of the head is used where the other side can read it, and control characters are kept out',
  async (t) => {
    const world = await opened(pppWorld({ accm: 0x000a0000 }));
    let wire: Buffer = Buffer.alloc(0);
    world.lose = (bytes) => {
      wire = bytes;
      return false;
    };
    const payload = ipv4('10.99.0.1', '10.99.0.2', 60);
    payload.fill(0x11, 20); // XON, one of the two
    world.server.session.send([payload]);
    await world.settle();
    t.equal(wire[1], 0x21, 'no address, no control, a short protocol');
    t.notOk(wire.includes(0x11));
    t.same(world.client.packets, [payload]);
  },
);
