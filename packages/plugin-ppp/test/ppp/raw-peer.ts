import { createDeframer, createFramer, createPppSession, type PppSession } from '@viassh/plugin-ppp';
import { createFakeClock, type FakeClock } from '@viassh/testing';
import { type Side, sideOptions, type Wishes } from './ppp-world.ts';

/** What the session under test has sent. */
export interface Sent {
  readonly protocol: number;
  readonly code: number;
  readonly id: number;
  readonly data: Buffer;
}

/** A session whose other side is the test itself, packet by packet. */
export interface RawPeer extends Side {
  readonly clock: FakeClock;
  readonly session: PppSession;
  /** All of it, oldest first; a test may empty it. */
  readonly sent: Sent[];
  say(protocol: number, code: number, id: number, data?: Uint8Array | string): void;
  /** A packet of the network, or anything else. */
  raw(protocol: number, payload: Uint8Array): void;
  /** Opens, and agrees on LCP with `options` of the peer's own. */
  openLcp(options?: Uint8Array): void;
  /** Agrees on IPCP: the session is 10.99.0.2, the peer 10.99.0.1. */
  openIpcp(ms?: number): Promise<void>;
}

export const LCP = 0xc021;
export const IPCP = 0x8021;
export const CHAP = 0xc223;
/** Magic number 0x01020304. */
export const magic = Uint8Array.of(5, 6, 1, 2, 3, 4);

export function rawPeer(wishes: Wishes = {}, seed = 7): RawPeer {
  const clock = createFakeClock();
  const sent: Sent[] = [];
  const deframer = createDeframer({
    mru: 65_535,
    onFrame: (protocol, bytes) => {
      sent.push({ protocol, code: bytes.readUInt8(0), id: bytes.readUInt8(1), data: Buffer.from(bytes.subarray(4)) });
    },
  });
  deframer.accm = 0;
  const { options, packets, log } = sideOptions(clock, seed, wishes, (bytes) => deframer.receive(bytes));
  const session = createPppSession(options);
  const framer = createFramer();
  const raw = (protocol: number, payload: Uint8Array): void => session.receive(framer.encode(protocol, payload));
  const say: RawPeer['say'] = (protocol, code, id, data = '') => {
    const bytes = Buffer.from(data);
    raw(protocol, Buffer.concat([Buffer.from([code, id, (bytes.length + 4) >> 8, (bytes.length + 4) & 255]), bytes]));
  };
  const acknowledge = (protocol: number): void => {
    const request = sent.findLast((one) => one.protocol === protocol && one.code === 1)!;
    say(protocol, 2, request.id, request.data);
  };
  return {
    clock,
    session,
    packets,
    log,
    sent,
    say,
    raw,
    openLcp(own = magic) {
      session.open();
      say(LCP, 1, 1, own);
      acknowledge(LCP);
    },
    async openIpcp(ms = 200) {
      say(IPCP, 1, 1, Uint8Array.of(3, 6, 10, 99, 0, 1));
      const first = sent.findLast((one) => one.protocol === IPCP && one.code === 1)!;
      if (first.data.readUInt32BE(2) === 0) say(IPCP, 3, first.id, Uint8Array.of(3, 6, 10, 99, 0, 2));
      acknowledge(IPCP);
      await clock.advance(ms); // the peer answers no echoes
    },
  };
}
