import { once } from 'node:events';
import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { Inbound } from '../../src/connection/inbound.ts';

/** A stream behind an Inbound, as channels have it. */
class Source extends Readable {
  consumed = 0;
  readonly inbound: Inbound = new Inbound(this, (bytes) => (this.consumed += bytes));

  override read(size?: number): unknown {
    return this.inbound.take(() => super.read(size));
  }

  override _read(): void {
    // what comes is pushed
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.inbound.drop();
    callback(error);
  }
}

function sourceWith(...chunks: string[]): Source {
  const source = new Source();
  source.on('error', () => undefined);
  for (const chunk of chunks) source.inbound.push(Buffer.from(chunk));
  return source;
}

t.test('every byte counts once: taken, dropped by destroy, or come after it', async (t) => {
  const source = sourceWith('taken', 'waits');
  t.equal(source.consumed, 0);
  t.equal(String(source.read(5)), 'taken');
  t.equal(source.consumed, 5);
  source.destroy();
  t.equal(source.consumed, 10);
  source.read();
  source.inbound.push(Buffer.from('late'));
  t.equal(source.consumed, 14);
});

t.test('a listener that destroys the stream at a chunk: every byte counts once', async (t) => {
  const source = sourceWith('first', 'second');
  source.once('data', () => source.destroy());
  await once(source, 'close');
  t.equal(source.consumed, 11);
});

t.test('a loss waits for the reader, and not where nothing is to read', async (t) => {
  const loss = new Error('lost');
  const [unread, empty] = [sourceWith('one', 'two'), sourceWith()];
  for (const { inbound } of [unread, empty]) inbound.fail(loss);
  t.equal(empty.destroyed, true);
  unread.inbound.push(Buffer.from('after the loss'));
  await turn();
  t.equal(unread.destroyed, false);
  t.equal(String(unread.read(3)), 'one');
  t.equal(unread.destroyed, false);
  t.equal(String(unread.read(3)), 'two');
  t.equal(unread.errored, loss);
});

t.test('a loss after EOF comes behind the end', async (t) => {
  const source = sourceWith('last');
  source.inbound.end();
  source.inbound.fail(new Error('lost'));
  const seen: string[] = [];
  source.on('data', String).once('end', () => seen.push('end'));
  source.once('error', () => seen.push('error'));
  await new Promise<void>((resolve) => source.once('close', () => resolve()));
  t.strictSame(seen, ['end', 'error']);
});

t.test('a loss of a stream that was destroyed changes nothing', async (t) => {
  const source = sourceWith('x');
  source.destroy();
  source.inbound.fail(new Error('lost'));
  await turn();
  t.equal(source.errored, null);
});

t.test('a small piece that waits does not hold the read that it came with', async (t) => {
  const read = Buffer.alloc(64 * 1024, 'x');
  const source = new Source();
  for (let count = 0; count < 100; count += 1)
    source.inbound.push(Buffer.from(read.buffer, read.byteOffset + count, 1));
  source.inbound.push(Buffer.from(read.buffer, read.byteOffset, 32 * 1024));
  const held: ArrayBufferLike[] = [];
  for (let count = 0; count < 100; count += 1) held.push((source.read(1) as Buffer).buffer);
  t.ok(
    held.every((buffer) => buffer !== read.buffer),
    'copied',
  );
  t.equal((source.read() as Buffer).buffer, read.buffer, 'a large one is not');
  t.equal(source.consumed, 100 + 32 * 1024);
});
