import { below, randomBytesOf, seededRandom } from '../random.ts';
import type { Wishes } from '../ppp/ppp-world.ts';
import { CHAP, IPCP, LCP, magic, rawPeer } from '../ppp/raw-peer.ts';

/** Packets for one session: after that many it has ended, or is the same in all that matters. */
const EACH = 40;

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

/** What came of it. */
export interface SessionFuzz {
  readonly sessions: number;
  /** Packets that the sessions have sent. */
  readonly answers: number;
  /** Timers of one session at the same time, at the most. */
  readonly mostTimers: number;
}

/**
 * Packets of a peer that makes them up, to sessions of all kinds.
 *
 * @throws Error when a session throws, does not end with its stream, or leaves a timer
 */
export async function fuzzSession(seed: number, inputs: number): Promise<SessionFuzz> {
  const random = seededRandom(seed);
  const pick = <T>(from: readonly T[]): T => from.at(below(random, from.length))!;
  const found = { sessions: 0, answers: 0, mostTimers: 0 };
  for (let done = 0; done < inputs; done += EACH) {
    const peer = rawPeer(pick(wishes), below(random, 2 ** 31));
    let over = false;
    const end = (): void => void (over = true);
    peer.session.closed.then(end, end);
    if (random() < 0.7) peer.openLcp();
    else peer.session.open();
    for (let index = 0; index < EACH; index += 1) {
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
      found.mostTimers = Math.max(found.mostTimers, peer.clock.pending.length);
      if (random() < 0.02) await peer.clock.advance(below(random, 4000));
    }
    found.answers += peer.sent.length;
    peer.session.lowerDown();
    await peer.clock.advance(0);
    if (!over) throw new Error(`input ${done}: a session outlives its stream`);
    if (peer.clock.pending.length > 0) throw new Error(`input ${done}: a timer outlives its session`);
    found.sessions += 1;
  }
  return found;
}
