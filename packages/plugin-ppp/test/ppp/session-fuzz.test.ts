import process from 'node:process';
import t from 'tap';
import { below, randomBytesOf, seededRandom } from '../random.ts';
import type { Wishes } from './ppp-world.ts';
import { CHAP, IPCP, LCP, magic, rawPeer } from './raw-peer.ts';

const inputs = Number(process.env['VIASSH_FUZZ_INPUTS'] ?? 100_000);
const seed = Number(process.env['VIASSH_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
/** Packets for one session: after that many it has ended, or is the same in all that matters. */
const each = 40;

const wishes: readonly Wishes[] = [
  { ipv6: true, askDns: true, echoIntervalMs: 1000 },
  {
    credentials: { name: 'alice', secret: 'wonder land' },
    demand: { protocol: 'pap', name: 'us', secretOf: () => 'x' },
  },
  {
    credentials: { name: 'alice', secret: 'wonder land' },
    demand: { protocol: 'chap-md5', name: 'us', secretOf: () => 'x' },
  },
  {
    localAddress: '10.99.0.1',
    remoteAddress: '10.99.0.2',
    offerDns: ['9.9.9.9'],
    ipv6: true,
    acceptFrom: ['fd00::/8'],
  },
];
const protocols = [LCP, LCP, LCP, IPCP, IPCP, 0x8057, 0xc023, CHAP, 0x21, 0x57, 0x80fd, 0x002d, 0x4001];
const known = [
  magic,
  Uint8Array.of(3, 6, 10, 99, 0, 1),
  Uint8Array.of(1, 10, 1, 2, 3, 4, 5, 6, 7, 8),
  Uint8Array.of(7, 2, 8, 2),
];

t.test(`${inputs} packets of a peer that makes them up`, async (t) => {
  t.comment(`VIASSH_TEST_SEED=${seed}`);
  const random = seededRandom(seed);
  const pick = <T>(from: readonly T[]): T => from.at(below(random, from.length))!;
  let ended = 0;
  let answers = 0;
  let most = 0;
  for (let done = 0; done < inputs; done += each) {
    const peer = rawPeer(pick(wishes), below(random, 2 ** 31));
    let over = false;
    const end = (): void => void (over = true);
    peer.session.closed.then(end, end);
    if (random() < 0.7) peer.openLcp();
    else peer.session.open();
    for (let index = 0; index < each; index += 1) {
      const protocol = pick(protocols);
      const code = below(random, 14);
      const ours = peer.sent.findLast((one) => one.protocol === protocol);
      const data =
        random() < 0.4 && ours
          ? Buffer.from(ours.data)
          : random() < 0.5
            ? Buffer.from(pick(known))
            : randomBytesOf(random, below(random, 40));
      if (data.length > 0 && random() < 0.3) data[below(random, data.length)] = below(random, 256);
      const id = random() < 0.6 && ours ? ours.id : below(random, 256);
      if (random() < 0.1) peer.raw(protocol, data);
      else peer.say(protocol, code, id, data);
      most = Math.max(most, peer.clock.pending.length);
      if (random() < 0.02) await peer.clock.advance(below(random, 4000));
    }
    answers += peer.sent.length;
    peer.session.lowerDown();
    await peer.clock.advance(0);
    if (peer.clock.pending.length > 0 || !over) break;
    ended += 1;
  }
  t.equal(ended, Math.ceil(inputs / each), 'every session ends, and no timer outlives it');
  t.ok(answers < 2 * inputs, `${answers} answers`);
  t.ok(most < 10, `${most} timers at the same time`);
});
