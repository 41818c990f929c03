import t from 'tap';
import { readClientSetup, writeClientSetup } from '../../src/setup/client-setup.ts';
import { readServerAnswer, writeRefusal } from '../../src/setup/server-answer.ts';

const cookie = Buffer.from('00112233445566778899aabbccddeeff', 'hex');
const tail = '4d49542d4d414749432d434f4f4b49452d31000000112233445566778899aabbccddeeff';
/** What xdpyinfo says first on a little-endian machine, and what it says on the others. */
const recorded = {
  little: Buffer.from(`6c000b000000120010000000${tail}`, 'hex'),
  big: Buffer.from(`4200000b0000001200100000${tail}`, 'hex'),
};
const withoutCookie = Buffer.from('6c000b000000000000000000', 'hex');
const other = Buffer.from('ffeeddccbbaa99887766554433221100', 'hex');

for (const [order, packet] of Object.entries(recorded))
  t.test(`the first packet, ${order}-endian: read when it is whole, and written with another cookie`, async (t) => {
    for (let length = 0; length < packet.length; length += 1)
      t.equal(readClientSetup(packet.subarray(0, length), cookie).kind, 'more', `${length} bytes`);
    const reading = readClientSetup(Buffer.concat([packet, Buffer.from('more')]), cookie);
    const setup = { littleEndian: order === 'little', major: 11, minor: 0 };
    t.same(reading, { kind: 'setup', length: packet.length, setup });
    t.same(writeClientSetup(setup, cookie), packet);
    const swapped = Buffer.from(packet);
    other.copy(swapped, packet.length - 16);
    t.same(writeClientSetup(setup, other), swapped);
    const bare = writeClientSetup(setup, undefined);
    t.same(bare.subarray(6), Buffer.alloc(6), 'no proof where the X server wants none');
    t.equal(bare.length, 12);
  });

t.test('a cookie that differs in any bit is refused', async (t) => {
  for (let bit = 0; bit < 128; bit += 1) {
    const packet = Buffer.from(recorded.little);
    const at = packet.length - 16 + (bit >> 3);
    packet[at] = (packet[at] ?? 0) ^ (1 << (bit & 7));
    t.match(readClientSetup(packet, cookie), { kind: 'refused', reason: 'its cookie is wrong' });
  }
});

t.test('no cookie, another proof, other lengths, no X11: refused by the header, whatever would follow', async (t) => {
  const header = (change: (bytes: Buffer) => void): Buffer => {
    const bytes = Buffer.from(recorded.little.subarray(0, 12));
    change(bytes);
    return bytes;
  };
  t.match(readClientSetup(withoutCookie, cookie), {
    kind: 'refused',
    reason: 'it has no cookie',
    setup: { major: 11 },
  });
  const longName = header((bytes) => bytes.writeUInt16LE(65_535, 6));
  t.match(readClientSetup(longName, cookie), { kind: 'refused', reason: /MIT-MAGIC-COOKIE-1/ });
  for (const length of [0, 15, 17, 65_535]) {
    const wrong = header((bytes) => bytes.writeUInt16LE(length, 8));
    t.match(readClientSetup(wrong, cookie), { kind: 'refused', reason: 'its cookie is wrong' });
  }
  const renamed = Buffer.from(recorded.big);
  renamed.write('XDM', 12);
  t.match(readClientSetup(renamed, cookie), { kind: 'refused', reason: /MIT-MAGIC-COOKIE-1/ });
  const refused = readClientSetup(Buffer.from('GET / HTTP/1.1'), cookie);
  t.same(refused, { kind: 'refused', reason: 'this is not X11' }, 'and is not answered');
});

t.test('a refusal is what an X server would say, in either byte order', async (t) => {
  for (const littleEndian of [true, false]) {
    const setup = { littleEndian, major: 11, minor: 0 };
    const packet = writeRefusal(setup, 'its cookie is wrong');
    t.equal(packet.length % 4, 0);
    t.same(readServerAnswer(packet, littleEndian), { kind: 'failed', reason: 'its cookie is wrong' });
    for (let length = 0; length < 8 + 19; length += 1)
      t.equal(readServerAnswer(packet.subarray(0, length), littleEndian).kind, 'more');
    t.match(readServerAnswer(writeRefusal(setup, 'long '.repeat(1000)), littleEndian), {
      kind: 'failed',
      reason: /long/,
    });
  }
});

t.test('an answer that asks for more proof, or is none', async (t) => {
  const more = Buffer.from('0200000000000200544f4b454e000000', 'hex');
  t.same(readServerAnswer(more, true), { kind: 'failed', reason: 'TOKEN' });
  t.match(readServerAnswer(Buffer.from('HTTP/1.1 400'), true), { kind: 'failed', reason: /not that of an X server/ });
  t.match(
    readServerAnswer(Buffer.from('0100000000000100', 'hex'), true),
    { kind: 'failed' },
    'a success that is too short',
  );
});
