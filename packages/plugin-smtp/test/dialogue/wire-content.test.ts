import t from 'tap';
import { ContentMeasure } from '../../src/dialogue/content-measure.ts';
import { ContentSpool } from '../../src/dialogue/content-spool.ts';
import { wireContent } from '../../src/dialogue/wire-content.ts';
import { contentOf } from '../scripted-server.ts';

async function wire(...chunks: readonly (string | Buffer)[]): Promise<string> {
  const blocks: Buffer[] = [];
  for await (const block of wireContent(contentOf(...chunks))) blocks.push(block);
  return Buffer.concat(blocks).toString('latin1');
}

t.test('line ends become CRLF, dots at line starts two, and nothing else changes', async (t) => {
  for (const [content, expected] of [
    ['', ''],
    ['x', 'x\r\n'],
    ['x\r\n', 'x\r\n'],
    ['x\n', 'x\r\n'],
    ['x\r', 'x\r\n'],
    ['x\r\r\n', 'x\r\n\r\n'],
    ['x\n\ry', 'x\r\n\r\ny\r\n'],
    ['.', '..\r\n'],
    ['.\n.', '..\r\n..\r\n'],
    ['.\r.\n..', '..\r\n..\r\n...\r\n'],
    ['a.b.\r\n.c', 'a.b.\r\n..c\r\n'],
    ['\r\n', '\r\n'],
    ['\0\xff\n', '\0\xff\r\n'],
  ] as const)
    t.equal(await wire(content), expected, JSON.stringify(content));
});

t.test('the same however it is cut, and its measure is that of what is sent', async (t) => {
  const content = 'a\r\n.\r\n\n.\n\r.\r\r\n..\r\n.\xe9\r';
  const whole = await wire(content);
  for (let at = 0; at <= content.length; at += 1)
    t.equal(await wire(content.slice(0, at), content.slice(at)), whole, `cut at ${at}`);
  t.equal(await wire(...content), whole, 'each byte alone');
  const measure = new ContentMeasure();
  for (const byte of content) measure.push(Buffer.from(byte, 'latin1'));
  t.equal(measure.octets, whole.replaceAll('\r\n..', '\r\n.').length);
  t.match(measure, { eightBit: true, bareCr: true, bareLf: true, hasCr: true, endsInCr: true });
});

t.test('what has CRLF alone has nothing bare in it, also where chunks part CR and LF', async (t) => {
  const measure = new ContentMeasure();
  for (const chunk of ['a\r', '\nb\r', '\n']) measure.push(Buffer.from(chunk));
  t.match(measure, { eightBit: false, bareCr: false, bareLf: false, hasCr: true, endsInCr: false, octets: 6 });
  const without = new ContentMeasure();
  without.push(Buffer.from('abc'));
  t.equal(without.octets, 5, 'the last line end is added');
});

t.test('the spool gives any part back, from memory and from a file', async (t) => {
  for (const inMemory of [1000, 0, 25]) {
    await using spool = new ContentSpool({ inMemory });
    const all = Buffer.from(Array.from({ length: 100 }, (_, index) => index));
    for (let at = 0; at < all.length; at += 10) await spool.append(Buffer.from(all.subarray(at, at + 10)));
    t.equal(spool.size, 100);
    for (const [start, end] of [
      [0, 100],
      [0, 0],
      [5, 6],
      [5, 35],
      [99, 100],
      [10, 20],
    ] as const) {
      const parts: Buffer[] = [];
      for await (const part of spool.read(start, end)) parts.push(part);
      t.strictSame(Buffer.concat(parts), all.subarray(start, end), `${start} to ${end}, ${inMemory} in memory`);
    }
  }
});
