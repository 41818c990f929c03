import t from 'tap';
import { WirePhases, type WireMark } from '../../src/faults/wire-phases.ts';

const banner = Buffer.from('a line before\r\n');
const version = Buffer.from('SSH-2.0-x\r\n');
const packets = [20, 30, 30, 21].map(packet);
const stream = Buffer.concat([banner, version, ...packets, Buffer.alloc(40, 20)]);
const begin = banner.length + version.length;
const size = packet(20).length;
const marks: readonly WireMark[] = [
  { what: 'ident', position: 0 },
  { what: 'kexinit', position: begin },
  { what: 'kex', position: begin + size },
  { what: 'newkeys', position: begin + 3 * size },
  { what: 'encrypted', position: begin + 4 * size },
];

for (const step of [1, 5, 17, stream.length]) {
  t.test(`phases are found where they begin, ${step} bytes at a time`, async (t) => {
    const phases = new WirePhases();
    const found: WireMark[] = [];
    for (let at = 0; at < stream.length; at += step) found.push(...phases.read(stream.subarray(at, at + step)));
    t.strictSame(found, marks);
    t.equal(phases.encrypted, true);
  });
}

/** uint32 length | byte padding length | byte message | … (RFC 4253 §6). */
function packet(message: number): Buffer {
  const bytes = Buffer.alloc(24, 0xaa);
  bytes.writeUInt32BE(bytes.length - 4, 0);
  bytes.writeUInt8(4, 4);
  bytes.writeUInt8(message, 5);
  return bytes;
}
