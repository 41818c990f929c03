import t from 'tap';
import { ipv4 } from './ppp-world.ts';
import { CHAP, IPCP, LCP, magic, rawPeer } from './raw-peer.ts';

t.test('a peer that sends back what it gets is told from one that answers', async (t) => {
  const peer = rawPeer();
  peer.session.open();
  for (let seen = 0; seen < peer.sent.length && seen < 100; seen += 1) {
    const { protocol, code, id, data } = peer.sent.at(seen)!;
    peer.say(protocol, code, id, data);
  }
  await t.rejects(peer.session.agreed, { code: 'PPP_LOOPED' });
  await t.rejects(peer.session.closed, { code: 'PPP_LOOPED' });
  t.same(peer.clock.pending, []);
});

t.test('a link that loops only once it is up is found by its echoes', async (t) => {
  const peer = rawPeer({ echoIntervalMs: 1000 });
  peer.openLcp();
  await peer.openIpcp();
  await peer.clock.advance(1000);
  const { code, id, data } = peer.sent.at(-1)!;
  t.equal(code, 9, 'an echo request');
  peer.say(LCP, code, id, data);
  await t.rejects(peer.session.closed, { code: 'PPP_LOOPED' });
});

t.test('Configure-Requests without an end are not answered without an end', async (t) => {
  for (const protocol of [LCP, IPCP]) {
    const peer = rawPeer();
    peer.openLcp();
    for (let id = 0; id < 5000; id += 1) peer.say(protocol, 1, id & 255, Uint8Array.of(200, 2));
    await t.rejects(peer.session.agreed, { code: 'PPP_FAILED' });
    t.ok(peer.sent.length < 300, `${peer.sent.length} answers`);
  }
});

t.test('a peer that never agrees, whatever we ask for, is given up', async (t) => {
  const peer = rawPeer();
  peer.session.open();
  for (let round = 0; round < 1000; round += 1) {
    const request = peer.sent.findLast(({ code }) => code === 1)!;
    peer.say(LCP, 3, request.id, magic);
  }
  await t.rejects(peer.session.agreed, { code: 'PPP_FAILED', message: /magic/ });
  t.ok(peer.sent.length < 60, `${peer.sent.length} packets`);
});

t.test('a peer that insists on what we would rather not have is rejected, then given up', async (t) => {
  const peer = rawPeer();
  peer.session.open();
  const tiny = Uint8Array.of(1, 4, 0, 10); // MRU 10
  for (let id = 0; id < 10; id += 1) peer.say(LCP, 1, id, tiny);
  t.same(
    peer.sent.filter(({ code }) => code === 3 || code === 4).map(({ code }) => code),
    [3, 3, 3, 3, 3, 4, 4, 4, 4, 4],
  );
  for (let id = 10; id < 90; id += 1) peer.say(LCP, 1, id, tiny);
  await t.rejects(peer.session.agreed, { code: 'PPP_FAILED', message: /mru/ });
});

t.test('options: a flood of them, the same one twice, and broken ones', async (t) => {
  const peer = rawPeer();
  peer.session.open();
  peer.say(LCP, 1, 0, Uint8Array.of(200, 2));
  peer.sent.length = 0;
  peer.say(LCP, 1, 1, Buffer.alloc(1400, Buffer.from([200, 2])));
  t.same([peer.sent.at(0)!.code, peer.sent.at(0)!.data.length], [4, 1400], 'all of them rejected');
  peer.say(LCP, 1, 2, Buffer.alloc(60_000, Buffer.from([200, 2])));
  t.equal(peer.sent.length, 1, 'larger than any request can be');
  peer.say(LCP, 1, 3, Buffer.concat([magic, magic]));
  t.same([peer.sent.at(1)!.code, peer.sent.at(1)!.id, peer.sent.at(1)!.data], [4, 3, Buffer.from(magic)]);
  for (const broken of [[5], [5, 0], [5, 1], [5, 7, 1, 2, 3, 4], [5, 255]])
    peer.say(LCP, 1, 4, Uint8Array.from(broken));
  t.equal(peer.sent.length, 2, 'no answer to what cannot be read');
  peer.say(LCP, 1, 5, Uint8Array.of(1, 3, 9, 7, 4, 0, 0, 5, 3, 1));
  t.same([peer.sent.at(2)!.code, peer.sent.at(2)!.data.length], [4, 10], 'known ones of a length they cannot have');
});

t.test('unknown protocols and echoes: answered, but not to a flood', async (t) => {
  const peer = rawPeer();
  peer.openLcp(Buffer.concat([magic, Uint8Array.of(1, 4, 0, 200)])); // its MRU is 200
  peer.raw(0x80fd, Buffer.from('01010004', 'hex'));
  t.match(peer.sent.at(-1), { protocol: LCP, code: 8 }, 'CCP: Protocol-Reject');
  t.equal(peer.sent.at(-1)!.data.toString('hex'), '80fd01010004');
  peer.raw(0x002d, Buffer.alloc(1000));
  t.equal(peer.sent.at(-1)!.data.length, 196, 'no longer than the peer can take');
  peer.say(LCP, 9, 77, 'abcdefgh');
  t.match(peer.sent.at(-1), { code: 10, id: 77 });
  t.equal(peer.sent.at(-1)!.data.toString('latin1', 4), 'efgh');
  peer.say(LCP, 99, 78, 'what is this');
  t.match(peer.sent.at(-1), { code: 7 }, 'Code-Reject');
  const before = peer.sent.length;
  for (let round = 0; round < 5000; round += 1) {
    peer.raw(0x80fd, Buffer.from('01010004', 'hex'));
    peer.say(LCP, 9, round & 255, 'abcdefgh');
  }
  t.ok(peer.sent.length - before < 120, `${peer.sent.length - before} answers`);
  t.ok(peer.session.counters.droppedIn > 9000, 'the rest is counted');
  await peer.clock.advance(2000);
  peer.say(LCP, 9, 1, 'abcdefgh');
  t.match(peer.sent.at(-1), { code: 10, id: 1 }, 'and it goes on');
});

t.test('packets of addresses that were not agreed on', async (t) => {
  const lax = rawPeer();
  lax.openLcp();
  lax.raw(0x21, ipv4('10.99.0.1', '10.99.0.2'));
  t.equal(lax.session.counters.droppedIn, 1, 'before the network is open: none');
  await lax.openIpcp();
  const strict = rawPeer({ acceptFrom: ['192.168.0.0/23'] });
  strict.openLcp();
  await strict.openIpcp();
  for (const peer of [lax, strict]) {
    for (const [from, to] of [
      ['10.99.0.1', '10.99.0.2'], // from the other end itself
      ['10.99.0.1', '172.16.1.1'], // the same, through us
      ['8.8.8.8', '10.99.0.2'], // from behind it
      ['192.168.1.7', '172.16.1.1'], // from a network it was said to have, through us
      ['192.168.2.7', '172.16.1.1'], // from one next to it
      ['10.99.0.2', '10.99.0.2'], // in our own name
      ['127.0.0.1', '10.99.0.2'],
      ['224.0.0.1', '10.99.0.2'],
    ] as const) {
      peer.raw(0x21, ipv4(from, to));
    }
    peer.raw(0x57, Buffer.alloc(60, 0x60)); // IPv6 is not open
    const long = ipv4('10.99.0.1', '10.99.0.2');
    peer.raw(0x21, long.subarray(0, 30)); // shorter than it says
  }
  t.same(sources(lax.packets), ['10.99.0.1', '10.99.0.1', '8.8.8.8']);
  t.same(sources(strict.packets), ['10.99.0.1', '10.99.0.1', '192.168.1.7']);
  t.equal(strict.session.counters.droppedIn, 7);
  t.equal(strict.session.counters.received, 3);
});

t.test('addresses for us that cannot be: none, no host, its own', async (t) => {
  for (const [address, why] of [
    [[0, 0, 0, 0], /no address for us/],
    [[127, 0, 0, 1], /no host can have/],
    [[10, 99, 0, 1], /its own/],
  ] as const) {
    const peer = rawPeer();
    peer.openLcp();
    peer.say(IPCP, 1, 1, Uint8Array.of(3, 6, 10, 99, 0, 1));
    const ours = peer.sent.findLast(({ protocol, code }) => protocol === IPCP && code === 1)!;
    peer.say(IPCP, 3, ours.id, Uint8Array.of(3, 6, ...address));
    await peer.clock.advance(15_000); // it answers no Terminate-Request
    await t.rejects(peer.session.agreed, { code: 'PPP_FAILED', message: why, hint: /--address/ });
  }
});

t.test('a proof: a challenge of ours that comes back is not answered, an empty one neither', async (t) => {
  const demand = { protocol: 'chap-md5', name: 'us', secretOf: () => 'the same on both sides' } as const;
  const credentials = { name: 'us', secret: 'the same on both sides' };
  const peer = rawPeer({ demand, credentials });
  peer.openLcp(Buffer.concat([magic, Uint8Array.of(3, 5, 0xc2, 0x23, 5)]));
  const ours = peer.sent.find(({ protocol, code }) => protocol === CHAP && code === 1)!;
  peer.say(CHAP, 1, 9, Uint8Array.of(0));
  peer.say(CHAP, 1, 9, Uint8Array.of(255, 1, 2));
  t.equal(peer.sent.filter(({ protocol, code }) => protocol === CHAP && code === 2).length, 0);
  peer.say(CHAP, 1, ours.id, ours.data);
  t.equal(peer.sent.filter(({ protocol, code }) => protocol === CHAP && code === 2).length, 0, 'no answer to copy');
  await t.rejects(peer.session.agreed, { code: 'PPP_AUTH_FAILED' });
});

t.test('who has not proven who it is gets no network, and no second try', async (t) => {
  const demand = {
    protocol: 'pap',
    name: 'us',
    secretOf: (name: string) => (name === 'joe' ? 'right' : undefined),
  } as const;
  const pap = 0xc023;
  const peer = rawPeer({ demand });
  peer.openLcp();
  peer.say(IPCP, 1, 1, Uint8Array.of(3, 6, 10, 99, 0, 1));
  t.notOk(
    peer.sent.some(({ protocol }) => protocol === IPCP),
    'no answer',
  );
  peer.say(pap, 1, 1, '\x03joe\x09right'); // longer than it is
  t.notOk(
    peer.sent.some(({ protocol }) => protocol === pap),
    'no answer to what cannot be read',
  );
  peer.say(pap, 1, 2, '\x03joe\x05wrong');
  t.match(
    peer.sent.findLast(({ protocol }) => protocol === pap),
    { code: 3, id: 2 },
  );
  peer.say(pap, 1, 3, '\x03joe\x05right');
  t.notOk(
    peer.sent.some(({ protocol, code }) => protocol === pap && code === 2),
    'the first answer stands',
  );
  await t.rejects(peer.session.agreed, { code: 'PPP_AUTH_FAILED', message: /joe/ });
  t.notMatch(peer.log.join('\n'), /right|wrong/, 'no secret is written down');
});

t.test('a peer that would not say who it is is told to go', async (t) => {
  const demand = { protocol: 'chap-md5', name: 'us', secretOf: () => 'secret' } as const;
  for (const answer of [
    { code: 4, option: [3, 5, 0xc2, 0x23, 5] }, // rejected
    { code: 3, option: [3, 4, 0xc0, 0x23] }, // rather PAP
  ]) {
    const peer = rawPeer({ demand });
    peer.session.open();
    peer.say(LCP, answer.code, peer.sent.at(0)!.id, Uint8Array.from(answer.option));
    await t.rejects(peer.session.agreed, { code: 'PPP_AUTH_FAILED' });
    t.match(peer.sent.at(-1), { code: 5 }, 'Terminate-Request');
  }
});

function sources(packets: readonly Buffer[]): string[] {
  return packets.map((packet) => packet.subarray(12, 16).join('.'));
}
