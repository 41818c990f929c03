import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { awaitHead } from '../../src/connection/await-head.ts';

const never = new AbortController().signal;
/** A head is what stands before the first blank. */
const read = (bytes: Buffer): string | undefined => /^(\S*) /.exec(bytes.toString())?.[1];

t.test('a head is found however it was cut, and every byte is there for who reads next', async (t) => {
  const stream = new PassThrough();
  const listeners = (): number[] => ['readable', 'end', 'close', 'error'].map((event) => stream.listenerCount(event));
  const before = listeners();
  const waiting = awaitHead(stream, read, { deadline: never });
  for (const byte of 'hello wor') stream.write(byte);
  t.match(await waiting, { kind: 'head', head: 'hello' });
  t.strictSame(listeners(), before, 'nobody listens any more');
  stream.end('ld');
  t.equal(await text(stream), 'hello world');
});

t.test('a stream that ends, or is late, or is closed already, gives what was seen of it', async (t) => {
  const ends = new PassThrough();
  ends.end('hel');
  const { seen, kind } = await awaitHead(ends, read, { deadline: never });
  t.strictSame([kind, seen.toString()], ['ended', 'hel']);
  const late = new AbortController();
  const silent = new PassThrough();
  const waiting = awaitHead(silent, read, { deadline: late.signal });
  late.abort();
  t.match(await waiting, { kind: 'timeout' });
  t.notOk(silent.destroyed, 'it is the caller who closes it');
  const closed = new PassThrough().destroy();
  await once(closed, 'close');
  t.match(await awaitHead(closed, read, { deadline: never }), { kind: 'ended' });
});

t.test('what breaks the stream is the error, also where it was broken before; an abort closes it', async (t) => {
  const broken = new PassThrough();
  const waiting = awaitHead(broken, read, { deadline: never });
  broken.destroy(new Error('cut'));
  await t.rejects(waiting, { code: 'CONNECTION_LOST' });
  await t.rejects(awaitHead(broken, read, { deadline: never }), { code: 'CONNECTION_LOST' });
  for (const before of [true, false]) {
    const abort = new AbortController();
    const stream = new PassThrough();
    if (before) abort.abort();
    const aborted = awaitHead(stream, read, { deadline: never, signal: abort.signal });
    abort.abort();
    await t.rejects(aborted, { code: 'ABORTED' });
    t.ok(stream.destroyed);
  }
});
