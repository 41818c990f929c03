import t from 'tap';
import { encode, WireReader } from '../../src/mux/wire.ts';

t.test('fields come back as they were written', async (t) => {
  const reader = new WireReader(encode(7, true, 'grüße', Buffer.from([0, 255]), false, 0xffffffff));
  t.equal(reader.uint32(), 7);
  t.equal(reader.boolean(), true);
  t.equal(reader.text(), 'grüße');
  t.strictSame([...reader.bytes()], [0, 255]);
  t.equal(reader.boolean(), false);
  t.equal(reader.uint32(), 0xffffffff);
  t.equal(reader.left, 0);
});

t.test('a string that runs over the end of its message is refused', async (t) => {
  t.throws(() => new WireReader(Buffer.from([0, 0, 0, 9, 1])).bytes(), RangeError);
  t.throws(() => new WireReader(Buffer.from([0, 0])).uint32(), RangeError);
});
