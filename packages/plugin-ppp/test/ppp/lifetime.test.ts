import t from 'tap';
import { opened, pppWorld, run } from './ppp-world.ts';
import { IPCP, LCP, magic, rawPeer } from './raw-peer.ts';

t.test('a far end that says nothing, and one that says something else', async (t) => {
  const peer = rawPeer();
  peer.session.open();
  peer.session.receive(Buffer.from('This account is not available.\r\n'));
  await peer.clock.advance(29_000);
  t.equal(peer.sent.length, 10, 'ten requests');
  t.equal(new Set(peer.sent.map(({ id }) => id)).size, 1, 'all of them the same one');
  await peer.clock.advance(2000);
  await t.rejects(peer.session.agreed, { code: 'PPP_SILENT', message: /This account is not available/ });
  await t.rejects(peer.session.closed, { code: 'PPP_SILENT' });
  t.same(peer.clock.pending, []);
});

t.test('a program that was not listening yet when we first asked is asked again as soon as it speaks', async (t) => {
  const peer = rawPeer();
  peer.session.open();
  const ours = peer.sent.at(0)!;
  peer.sent.length = 0;
  for (const id of [1, 2]) peer.say(LCP, 1, id, magic);
  t.match(peer.sent, [
    { code: 1, id: ours.id, data: ours.data },
    { code: 2, id: 1 },
    { code: 2, id: 2 },
  ]);
  t.equal(peer.sent.length, 3, 'once, and before our answer takes it up');
  const heard = rawPeer();
  heard.session.open();
  heard.say(LCP, 2, heard.sent.at(0)!.id, heard.sent.at(0)!.data);
  heard.say(LCP, 1, 1, magic);
  t.equal(
    heard.sent.filter(({ protocol, code }) => protocol === LCP && code === 1).length,
    1,
    'not one that has answered',
  );
});

t.test('a slow link does not negotiate twice: a second answer is none, a second question is answered', async (t) => {
  const peer = rawPeer();
  peer.openLcp();
  await peer.openIpcp();
  await peer.session.agreed;
  const before = peer.sent.length;
  const ours = peer.sent.at(0)!;
  peer.say(LCP, 2, ours.id, ours.data);
  t.equal(peer.sent.length, before);
  peer.say(LCP, 1, 1, magic);
  t.match(peer.sent.slice(before), [{ protocol: LCP, code: 2, id: 1 }]);
  t.equal(peer.sent.length, before + 1);
});

t.test('the link is up when the other side has answered a question that it got after everything else', async (t) => {
  const peer = rawPeer();
  peer.openLcp();
  await peer.openIpcp(0);
  let up = false;
  void peer.session.agreed.then(() => (up = true));
  await peer.clock.advance(100);
  t.notOk(up);
  const question = peer.sent.findLast(({ protocol, code }) => protocol === LCP && code === 9)!;
  peer.say(LCP, 10, question.id, magic.subarray(2));
  await peer.clock.advance(0);
  t.ok(up, 'before the time for those that do not answer is over');
});

t.test('who does not answer echoes any more is gone; who sends anything is not', async (t) => {
  const peer = rawPeer({ echoIntervalMs: 10_000, echoFailures: 3 });
  peer.openLcp();
  await peer.openIpcp();
  for (let minute = 0; minute < 5; minute += 1) {
    peer.raw(0x21, Buffer.alloc(20, 0x45));
    await peer.clock.advance(20_000);
  }
  let ended = false;
  peer.session.closed.catch(() => (ended = true));
  await peer.clock.advance(15_000);
  t.notOk(ended);
  await peer.clock.advance(30_000);
  t.ok(ended);
  await t.rejects(peer.session.closed, { code: 'PPP_SILENT', message: /3 echo requests/ });
  t.same(peer.clock.pending, []);
});

t.test('the end, by either side, and by neither', async (t) => {
  for (const side of ['client', 'server'] as const) {
    const world = await opened(pppWorld());
    await Promise.all([world.client.session.agreed, world.server.session.agreed]);
    await Promise.all([world[side].session.close('enough'), run(world, 4000)]);
    await Promise.all([world.client.session.closed, world.server.session.closed]);
    t.match(world[side === 'client' ? 'server' : 'client'].log.join('\n'), /enough/);
    t.same(world.clock.pending, []);
  }
  const cut = await opened(pppWorld());
  await cut.client.session.agreed;
  cut.client.session.lowerDown();
  await t.rejects(cut.client.session.closed, { code: 'PPP_SILENT' });
  t.equal(cut.client.session.send([Buffer.alloc(20, 0x45)]), 0);
  cut.server.session.close().catch(() => undefined);
  await run(cut, 7000);
  await t.resolves(cut.server.session.closed, 'although nobody answers');
  t.same(cut.clock.pending, []);
});

t.test('an end before there was a link', async (t) => {
  const unopened = pppWorld();
  await unopened.client.session.close();
  await t.rejects(unopened.client.session.agreed, { code: 'ABORTED' });
  const asked = rawPeer();
  asked.session.open();
  const closing = asked.session.close();
  await asked.clock.advance(7000);
  await closing;
  await t.rejects(asked.session.agreed, { code: 'ABORTED' });
  await asked.session.closed;
  const refused = rawPeer();
  refused.openLcp();
  refused.say(LCP, 5, 9, 'no more links today');
  refused.session.lowerDown();
  await t.rejects(refused.session.agreed, { code: 'PPP_FAILED', message: /no more links today/ });
  t.match(refused.sent.at(-1), { code: 6, id: 9 }, 'Terminate-Ack');
  const lost = rawPeer();
  lost.session.open();
  lost.session.receive(Buffer.from('sh: 1: pppd: not found\n'));
  lost.session.lowerDown();
  await t.rejects(lost.session.agreed, { code: 'PPP_SILENT', message: /pppd: not found/ });
});

t.test('a far end that begins anew: the same link goes on, another one does not', async (t) => {
  const peer = rawPeer();
  peer.openLcp();
  await peer.openIpcp();
  const before = await peer.session.agreed;
  const again = async (address: number): Promise<void> => {
    peer.sent.length = 0;
    peer.say(LCP, 1, 40, Uint8Array.of(5, 6, 9, 9, 9, address));
    const request = peer.sent.find(({ protocol, code }) => protocol === LCP && code === 1)!;
    peer.say(LCP, 2, request.id, request.data);
    peer.say(IPCP, 1, 41, Uint8Array.of(3, 6, 10, 99, 0, address));
    const ours = peer.sent.findLast(({ protocol, code }) => protocol === IPCP && code === 1)!;
    t.equal(ours.data.toString('hex'), '03060a630002', 'it asks for the address that it has');
    peer.say(IPCP, 2, ours.id, ours.data);
    await peer.clock.advance(300);
  };
  await again(1);
  t.equal(peer.session.send([Buffer.alloc(20, 0x45)]), 1);
  t.equal(before.addresses[0]?.remote, '10.99.0.1');
  await again(3);
  await peer.clock.advance(10_000);
  await t.rejects(peer.session.closed, { code: 'PPP_FAILED', message: /something else/ });
});

t.test('a far end that knows no IP, and one that knows no LCP', async (t) => {
  const noIp = rawPeer();
  noIp.openLcp();
  noIp.say(LCP, 8, 1, Buffer.from('802101010004', 'hex'));
  await noIp.clock.advance(7000);
  await t.rejects(noIp.session.agreed, { code: 'PPP_FAILED', message: /IPCP/ });
  const noLcp = rawPeer();
  noLcp.openLcp();
  noLcp.say(LCP, 7, 1, Buffer.from('01010004', 'hex')); // Code-Reject of Configure-Request
  await noLcp.clock.advance(7000);
  await t.rejects(noLcp.session.agreed, { code: 'PPP_FAILED', message: /LCP/ });
});
