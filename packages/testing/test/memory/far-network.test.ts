import t from 'tap';
import { echoNetwork } from '../../src/memory/far-network.ts';
import { echoRequest, isSoundEcho } from '../../src/tun/echo.ts';

for (const [from, to] of [
  ['10.1.2.3', '10.1.2.4'],
  ['fd00::1', 'fd00::2'],
] as const) {
  t.test(`an echo request from ${from} is answered with sound checksums`, async (t) => {
    for (const size of [0, 1, 56, 1400]) {
      const request = echoRequest({ from, to, sequence: 7, size });
      const [answer, ...more] = echoNetwork(request, 'point-to-point');
      t.equal(more.length, 0);
      t.strictSame(isSoundEcho(answer ?? Buffer.alloc(0)), { from: to, to: from, sequence: 7, size, kind: 'reply' });
    }
  });
}

t.test('what is no echo request comes back with its addresses swapped', async (t) => {
  const packet = echoRequest({ from: '10.1.2.3', to: '10.1.2.4', sequence: 1, size: 8 });
  packet[9] = 17; // UDP
  const [answer] = echoNetwork(packet, 'point-to-point');
  t.strictSame(answer?.subarray(12, 16), packet.subarray(16, 20));
  t.strictSame(answer?.subarray(16, 20), packet.subarray(12, 16));
  t.strictSame(answer?.subarray(20), packet.subarray(20));
});

t.test('a frame comes back with both pairs of addresses swapped', async (t) => {
  const head = Buffer.from('020000000001020000000002' + '0800', 'hex');
  const packet = echoRequest({ from: '10.1.2.3', to: '10.1.2.4', sequence: 1, size: 8 });
  const [answer = Buffer.alloc(0)] = echoNetwork(Buffer.concat([head, packet]), 'ethernet');
  t.equal(answer.toString('hex', 0, 14), '020000000002020000000001' + '0800');
  t.match(isSoundEcho(answer.subarray(14)), { from: '10.1.2.4', kind: 'reply' });
});
