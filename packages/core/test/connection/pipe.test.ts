import { Readable } from 'node:stream';
import { type SinonStub, stub } from 'sinon';
import t from 'tap';
import { type Connection, pipe, type SessionRequest, ViasshError } from '@viassh/core';
import { FakeChannel, settled } from './fake-channel.ts';
import { FakeOutput } from './fake-output.ts';

function connectionTo(
  channel: FakeChannel,
): { openSession: SinonStub<[SessionRequest], Promise<FakeChannel>> } & Pick<Connection, 'openSession'> {
  return { openSession: stub<[SessionRequest], Promise<FakeChannel>>().resolves(channel) };
}

t.test('streams are joined, the exit is the command’s', async (t) => {
  const channel = new FakeChannel();
  const [stdout, stderr] = [new FakeOutput(), new FakeOutput()];
  const { exit, progress } = await pipe(
    connectionTo(channel),
    { kind: 'exec', command: 'cat' },
    { stdin: Readable.from(['in']), stdout, stderr },
  );
  await settled();
  t.equal(Buffer.concat(channel.taken).toString(), 'in');
  channel.say('out');
  channel.stderr.write('err');
  channel.finish({ kind: 'status', code: 7 });
  t.same(await exit, { kind: 'status', code: 7 });
  t.equal(stdout.text, 'out');
  t.equal(stderr.text, 'err');
  t.same(progress, { sent: 2, received: 3, outputClosed: false });
});

t.test('the request reaches the connection unaltered, with env, pty and signal', async (t) => {
  const connection = connectionTo(new FakeChannel());
  const { signal } = new AbortController();
  const pty = { term: 'xterm', columns: 80, rows: 24 };
  await pipe(connection, { kind: 'exec', command: " echo 'a  b'; " }, { env: { A: '1' }, pty, signal });
  t.same(connection.openSession.firstCall.args, [
    { kind: 'exec', command: " echo 'a  b'; ", env: { A: '1' }, pty, signal },
  ]);
});

t.test('exit waits until stdout has every byte', async (t) => {
  const channel = new FakeChannel();
  const stdout = new FakeOutput({ taking: false });
  const { exit } = await pipe(connectionTo(channel), { kind: 'shell' }, { stdout });
  let hasEnded = false;
  const watched = exit.then(() => (hasEnded = true));
  channel.say('slow');
  channel.finish();
  await settled();
  t.equal(hasEnded, false);
  stdout.take();
  await watched;
  t.equal(stdout.text, 'slow');
});

t.test('without stdout the channel is the caller’s to read, and stderr is dropped', async (t) => {
  const channel = new FakeChannel();
  const { exit, channel: own } = await pipe(connectionTo(channel), { kind: 'exec', command: 'x' });
  t.equal(own, channel);
  channel.stderr.write(Buffer.alloc(200_000));
  channel.say('mine');
  channel.finish();
  const chunks: Buffer[] = [];
  for await (const bytes of own) chunks.push(bytes as Buffer);
  t.equal(Buffer.concat(chunks).toString(), 'mine');
  t.match(await exit, { kind: 'status', code: 0 });
});

t.test('a reader that goes away ends quietly, as with head', async (t) => {
  const channel = new FakeChannel();
  const stdout = new FakeOutput({ taking: false });
  const { exit, progress } = await pipe(connectionTo(channel), { kind: 'exec', command: 'yes' }, { stdout });
  channel.say('y\n');
  await settled();
  stdout.fail('EPIPE');
  t.same(await exit, { kind: 'missing' });
  t.equal(progress.outputClosed, true);
});

t.test('a refused request is the caller’s error', async (t) => {
  const openSession = stub().rejects(new ViasshError('REQUEST_REFUSED', 'no'));
  await t.rejects(pipe({ openSession }, { kind: 'subsystem', subsystem: 'x' }), { code: 'REQUEST_REFUSED' });
});

t.test('a loss that nobody waits for is no unhandled rejection', async (t) => {
  const seen: unknown[] = [];
  const onUnhandled = (reason: unknown): void => void seen.push(reason);
  process.on('unhandledRejection', onUnhandled);
  t.teardown(() => process.off('unhandledRejection', onUnhandled));
  const channel = new FakeChannel();
  const { exit } = await pipe(connectionTo(channel), { kind: 'exec', command: 'x' }, { stdout: new FakeOutput() });
  channel.destroy(new ViasshError('CONNECTION_LOST', 'gone'));
  await settled();
  t.same(seen, []);
  await t.rejects(exit, { code: 'CONNECTION_LOST' });
});

for (const isJoined of [true, false]) {
  const how = isJoined ? 'with a stdout that takes nothing' : 'without stdout';
  t.test(`an abort rejects exit at once, ${how}`, async (t) => {
    const channel = new FakeChannel();
    const controller = new AbortController();
    const stdout = isJoined ? new FakeOutput({ taking: false }) : undefined;
    const { exit } = await pipe(
      connectionTo(channel),
      { kind: 'exec', command: 'x' },
      { stdout, signal: controller.signal },
    );
    channel.say('unread');
    await settled();
    controller.abort();
    await t.rejects(exit, { code: 'ABORTED' });
    t.equal(channel.destroyed, true);
  });
}

t.test('a loss rejects exit behind the bytes for stdout, and at once without one', async (t) => {
  const [joined, own] = [new FakeChannel(), new FakeChannel()];
  const stdout = new FakeOutput({ taking: false, highWaterMark: 1 });
  const request: SessionRequest = { kind: 'exec', command: 'x' };
  const behind = await pipe(connectionTo(joined), request, { stdout });
  const atOnce = await pipe(connectionTo(own), request);
  for (const channel of [joined, own]) {
    channel.say('first ');
    await settled();
    channel.say('second');
    channel.lose(new ViasshError('CONNECTION_LOST', 'gone'));
  }
  await t.rejects(atOnce.exit, { code: 'CONNECTION_LOST' });
  t.equal(stdout.text, 'first ');
  stdout.take();
  await t.rejects(behind.exit, { code: 'CONNECTION_LOST' });
  t.equal(stdout.text, 'first second');
});
