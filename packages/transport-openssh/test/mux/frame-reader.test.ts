import t from 'tap';
import { FrameReader } from '../../src/mux/frame-reader.ts';
import { encode } from '../../src/mux/wire.ts';

const bodies = ['', 'a', 'hello', 'x'.repeat(300), 'y'.repeat(70_000), '', 'end'];
const stream = Buffer.concat(bodies.map((body) => encode(body)));

for (const size of [1, 2, 3, 4, 5, 7, 64, 1000, 65_536, stream.length]) {
  t.test(`frames survive being cut into chunks of ${size}`, async (t) => {
    const seen: string[] = [];
    const reader = new FrameReader(100_000, (body) => seen.push(body.toString()));
    for (let at = 0; at < stream.length; at += size) reader.push(Buffer.from(stream.subarray(at, at + size)));
    t.strictSame(seen, bodies);
  });
}

t.test('a length beyond the longest is a broken stream, not an allocation', async (t) => {
  const reader = new FrameReader(1000, () => t.fail('no frame is whole'));
  t.throws(() => reader.push(Buffer.from([0x7f, 0xff, 0xff, 0xff])), RangeError);
});
