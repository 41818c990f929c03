import t from 'tap';
import { echoReply, echoRequest } from '@viassh/testing';
import { echoNetwork } from '../../src/memory/far-network.ts';

const four = { from: '198.18.7.2', to: '198.18.7.1' };
const six = { from: 'fd98:7::2', to: 'fd98:7::1' };

for (const ends of [four, six]) {
  t.test(`an echo request to ${ends.to} is answered with the sender's payload and a sound checksum`, async (t) => {
    for (const size of [0, 1, 56, 1400]) {
      const payload = Buffer.alloc(size, 0xa7);
      const [answer = Buffer.alloc(0), ...more] = echoNetwork(
        echoRequest({ ...ends, sequence: 7, payload }),
        'point-to-point',
      );
      t.equal(more.length, 0);
      t.match(echoReply(answer), { sequence: 7, payload });
      t.equal(checksum(ends === four ? answer.subarray(20) : withPseudoHeader(answer)), 0);
    }
  });
}

t.test('what is no echo request comes back with its addresses swapped', async (t) => {
  const packet = echoRequest({ ...four, sequence: 1, payload: Buffer.alloc(8) });
  packet[9] = 17; // UDP
  const [answer] = echoNetwork(packet, 'point-to-point');
  t.strictSame(answer?.subarray(12, 16), packet.subarray(16, 20));
  t.strictSame(answer?.subarray(16, 20), packet.subarray(12, 16));
  t.strictSame(answer?.subarray(20), packet.subarray(20));
});

t.test('a frame comes back with both pairs of addresses swapped', async (t) => {
  const packet = echoRequest({ ...four, sequence: 1 });
  const frame = Buffer.concat([Buffer.from('0200000000010200000000020800', 'hex'), packet]);
  const [answer = Buffer.alloc(0)] = echoNetwork(frame, 'ethernet');
  t.equal(answer.toString('hex', 0, 14), '0200000000020200000000010800');
  t.match(echoReply(answer.subarray(14)), { sequence: 1 });
});

/** RFC 8200 §8.1: what the checksum of ICMPv6 covers. */
function withPseudoHeader(packet: Buffer): Buffer {
  const message = packet.subarray(40);
  const length = Buffer.from([0, 0, message.length >> 8, message.length & 0xff, 0, 0, 0, 58]);
  return Buffer.concat([packet.subarray(8, 40), length, message]);
}

/** RFC 1071 */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (const [index, byte] of bytes.entries()) sum += index % 2 === 0 ? byte << 8 : byte;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
