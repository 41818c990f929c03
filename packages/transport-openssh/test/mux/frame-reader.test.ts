import t from 'tap';
import { FrameReader } from '../../src/mux/frame-reader.ts';
import { encode } from '../../src/mux/wire.ts';

/** As a socket would: so many bytes a read, or as many as there is room for. */
function feed(reader: FrameReader, bytes: Buffer, size: number): void {
  for (let at = 0; at < bytes.length; ) {
    const read = bytes.copy(reader.room(), 0, at, at + size);
    at += read;
    reader.filled(read);
  }
}

const bodies = ['', 'a', 'hello', 'x'.repeat(300), 'y'.repeat(70_000), '', 'end'];
const stream = Buffer.concat(bodies.map((body) => encode(body)));

for (const size of [1, 2, 3, 4, 5, 7, 64, 1000, 65_536, stream.length]) {
  t.test(`frames survive being cut into chunks of ${size}`, async (t) => {
    const seen: string[] = [];
    const reader = new FrameReader(100_000, (body) => seen.push(body.toString()));
    feed(reader, stream, size);
    t.strictSame(seen, bodies);
  });
}

t.test('a length beyond the longest is a broken stream, not an allocation', async (t) => {
  const reader = new FrameReader(1000, () => t.fail('no frame is whole'));
  t.throws(() => feed(reader, Buffer.from([0x7f, 0xff, 0xff, 0xff]), 4), RangeError);
});

t.test('frames that are kept stay as they were, whatever is read after them', async (t) => {
  const blocks = Array.from({ length: 100 }, (_, index) => Buffer.alloc(50_000, index));
  const kept: Buffer[] = [];
  feed(
    new FrameReader(100_000, (body) => kept.push(body)),
    Buffer.concat(blocks.map((block) => encode(block))),
    65_536,
  );
  t.equal(kept.length, blocks.length);
  t.ok(kept.every((body, index) => body.equals(blocks[index] as Buffer)));
});

t.test('a frame longer than the memory at hand arrives whole', async (t) => {
  const long = Buffer.alloc(3_000_000, 'z');
  const kept: Buffer[] = [];
  feed(new FrameReader(4_000_000, (body) => kept.push(body)), Buffer.concat([encode('a'), encode(long)]), 100_000);
  t.equal(kept.length, 2);
  t.ok(kept[1]?.equals(long));
});
