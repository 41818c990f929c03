import { PassThrough, Readable } from 'node:stream';
import t from 'tap';
import { type BridgeEnds, bridge, ViasshError } from '@viassh/core';
import { FakeChannel, openInput, settled } from './fake-channel.ts';
import { FakeOutput } from './fake-output.ts';

const chunk = Buffer.alloc(1024, 'x');

/** Whether a promise is settled by now. */
async function stateOf(promise: Promise<unknown>): Promise<string> {
  let state = 'pending';
  promise.then(
    () => (state = 'resolved'),
    () => (state = 'rejected'),
  );
  await settled();
  return state;
}

t.test('EOF of the input is EOF on the channel, which stays readable', async (t) => {
  const channel = new FakeChannel();
  const [input, output] = [openInput(), new FakeOutput()];
  const { done, progress } = bridge(channel, { input, output });
  input.push('question');
  input.push(null);
  await settled();
  t.equal(Buffer.concat(channel.taken).toString(), 'question');
  t.equal(channel.eof, true);
  t.equal(await stateOf(done), 'pending');
  channel.say('answer');
  channel.finish();
  await done;
  t.equal(output.text, 'answer');
  t.same(progress, { sent: 8, received: 6, outputClosed: false });
});

t.test('EOF of the channel leaves the way in open', async (t) => {
  const channel = new FakeChannel();
  const [input, output] = [openInput(), new FakeOutput()];
  const { done } = bridge(channel, { input, output });
  channel.say('early');
  channel.push(null);
  await settled();
  t.equal(output.text, 'early');
  input.push('late');
  await settled();
  t.equal(Buffer.concat(channel.taken).toString(), 'late');
  t.equal(channel.eof, false);
  t.equal(await stateOf(done), 'pending');
  input.push(null);
  await done;
  t.equal(channel.eof, true);
});

t.test('the output is not ended: it is the caller’s', async (t) => {
  const channel = new FakeChannel();
  const output = new FakeOutput();
  const { done } = bridge(channel, { output });
  channel.finish();
  await done;
  t.equal(output.writable, true);
});

t.test('an output that does not take stops the channel, and goes on where it was', async (t) => {
  const channel = new FakeChannel();
  const output = new FakeOutput({ taking: false });
  const { done, progress } = bridge(channel, { output });
  let more = true;
  let said = 0;
  while (more && said < 100) {
    more = channel.say(chunk);
    said += 1;
    await settled();
  }
  t.ok(said < 10, `the far end was held after ${said} chunks`);
  const { reads } = channel;
  await settled();
  t.equal(channel.reads, reads, 'nothing more is asked for');
  t.equal(channel.isPaused(), true);
  output.take();
  await settled();
  t.equal(channel.isPaused(), false);
  channel.finish();
  await done;
  t.equal(progress.received, said * chunk.length);
  t.equal(Buffer.concat(output.taken).length, said * chunk.length);
});

t.test('a channel that does not drain stops the input, and goes on where it was', async (t) => {
  const channel = new FakeChannel({ granting: false });
  const input = openInput();
  const { progress } = bridge(channel, { input, output: 'drop' });
  let more = true;
  let given = 0;
  while (more && given < 100) {
    more = input.push(chunk);
    given += 1;
    await settled();
  }
  t.ok(given < 10, `the input was held after ${given} chunks`);
  t.equal(input.isPaused(), true);
  t.ok(channel.writableLength <= 2 * chunk.length, 'not more than a window waits in the channel');
  channel.grant();
  input.push(null);
  await settled();
  t.equal(Buffer.concat(channel.taken).length, given * chunk.length);
  t.equal(progress.sent, given * chunk.length);
  t.equal(channel.eof, true);
});

t.test('done waits until the output took the last byte', async (t) => {
  const channel = new FakeChannel();
  const output = new FakeOutput({ taking: false });
  const { done } = bridge(channel, { output });
  channel.say('last words');
  channel.finish();
  t.equal(await stateOf(done), 'pending');
  t.equal(channel.closed, true, 'though the channel is through');
  output.take();
  t.equal(await stateOf(done), 'resolved');
});

t.test('what is dropped is read all the same', async (t) => {
  const channel = new FakeChannel();
  const { done, progress } = bridge(channel, { output: 'drop', error: 'drop' });
  channel.say(chunk);
  channel.stderr.write(Buffer.alloc(200_000));
  channel.finish();
  await done;
  t.equal(channel.stderr.readableEnded, true);
  t.equal(progress.received, 0, 'handed to nobody');
});

t.test('stderr goes its own way and is not counted', async (t) => {
  const channel = new FakeChannel();
  const [output, error] = [new FakeOutput(), new FakeOutput()];
  const { done, progress } = bridge(channel, { output, error });
  channel.say('out');
  channel.stderr.write('err');
  channel.finish();
  await done;
  t.equal(output.text, 'out');
  t.equal(error.text, 'err');
  t.equal(progress.received, 3);
});

t.test('done waits for stderr too', async (t) => {
  const channel = new FakeChannel();
  const error = new FakeOutput({ taking: false });
  const { done } = bridge(channel, { output: 'drop', error });
  channel.stderr.write('slow');
  channel.finish();
  t.equal(await stateOf(done), 'pending');
  error.take();
  t.equal(await stateOf(done), 'resolved');
});

for (const code of ['EPIPE', 'ERR_STREAM_DESTROYED']) {
  t.test(`${code} of the output ends quietly and closes the channel`, async (t) => {
    const channel = new FakeChannel();
    const [input, output] = [openInput(), new FakeOutput({ taking: false })];
    const { done, progress } = bridge(channel, { input, output });
    channel.say('to nobody');
    await settled();
    output.fail(code);
    await done;
    t.equal(progress.outputClosed, true);
    t.equal(channel.destroyed, true);
    t.equal(input.isPaused(), true, 'nothing more is read for a channel that is gone');
  });
}

t.test('EPIPE on the very last bytes ends quietly too', async (t) => {
  const channel = new FakeChannel();
  const output = new FakeOutput({ taking: false });
  const { done, progress } = bridge(channel, { output });
  channel.say('last words');
  channel.finish();
  await settled();
  output.fail('EPIPE');
  await done;
  t.equal(progress.outputClosed, true);
});

t.test('an output destroyed while the channel is quiet closes the channel', async (t) => {
  const channel = new FakeChannel();
  const output = new FakeOutput();
  const { done, progress } = bridge(channel, { output });
  output.destroy();
  await done;
  t.equal(progress.outputClosed, true);
  t.equal(channel.destroyed, true);
});

t.test('an output that was destroyed before closes the channel', async (t) => {
  const channel = new FakeChannel();
  const output = new FakeOutput().destroy();
  await settled();
  const { done, progress } = bridge(channel, { output });
  await done;
  t.equal(progress.outputClosed, true);
  t.equal(channel.destroyed, true);
});

t.test('an output that fails otherwise is an error, also on the last bytes', async (t) => {
  for (const isOver of [false, true]) {
    const channel = new FakeChannel();
    const output = new FakeOutput({ taking: false });
    const { done } = bridge(channel, { output });
    channel.say('to a full disk');
    if (isOver) channel.finish();
    await settled();
    output.fail('ENOSPC');
    await t.rejects(done, { code: 'STREAM_FAILED', message: /ENOSPC/ });
    t.equal(channel.destroyed, true);
  }
});

t.test('a stderr output that fails is an error even when nobody bridges stdout', async (t) => {
  const channel = new FakeChannel();
  const error = new FakeOutput({ taking: false });
  const { done } = bridge(channel, { error });
  channel.stderr.write('words');
  await settled();
  error.fail('ENOSPC');
  await t.rejects(done, { code: 'STREAM_FAILED' });
});

t.test('a failing input closes the channel with the reason', async (t) => {
  const channel = new FakeChannel();
  const input = openInput();
  const { done } = bridge(channel, { input, output: 'drop' });
  input.destroy(new Error('EIO: read'));
  await t.rejects(done, { code: 'STREAM_FAILED', message: /reading the input failed: EIO/ });
  t.equal(channel.eof, false, 'no EOF: the far end must not take half a message for the whole');
});

t.test('an input that failed before is no end of input', async (t) => {
  const channel = new FakeChannel();
  const input = openInput();
  input.on('error', () => undefined).destroy(new Error('EIO: read'));
  await settled();
  const { done } = bridge(channel, { input, output: 'drop' });
  await t.rejects(done, { code: 'STREAM_FAILED' });
  t.equal(channel.eof, false);
});

t.test('an input that already ended is EOF at once', async (t) => {
  const ended = Readable.from([]);
  ended.resume();
  const closed = openInput();
  closed.destroy();
  await settled();
  for (const input of [ended, closed]) {
    const channel = new FakeChannel();
    const { done } = bridge(channel, { input, output: 'drop' });
    await settled();
    t.equal(channel.eof, true);
    channel.finish();
    await done;
  }
});

t.test('streams that somebody paused flow again', async (t) => {
  const channel = new FakeChannel();
  const [input, output] = [openInput(), new FakeOutput()];
  channel.pause();
  channel.stderr.pause();
  input.pause();
  const { done } = bridge(channel, { input, output, error: 'drop' });
  input.push('in');
  channel.say('out');
  await settled();
  t.equal(Buffer.concat(channel.taken).toString(), 'in');
  t.equal(output.text, 'out');
  channel.finish();
  await done;
});

t.test('one input serves a second bridge after the first', async (t) => {
  const input = openInput();
  for (const word of ['first', 'second']) {
    const channel = new FakeChannel();
    const { done } = bridge(channel, { input, output: 'drop' });
    input.push(word);
    await settled();
    t.equal(Buffer.concat(channel.taken).toString(), word);
    channel.finish();
    await done;
    t.equal(input.isPaused(), true);
  }
});

t.test('text of an input with an encoding is counted in bytes', async (t) => {
  const channel = new FakeChannel();
  const input = openInput().setEncoding('utf8');
  const { progress } = bridge(channel, { input, output: 'drop' });
  input.push(Buffer.from('ü€'));
  await settled();
  t.equal(Buffer.concat(channel.taken).toString(), 'ü€');
  t.equal(progress.sent, 5);
});

t.test('an abort closes the channel and rejects', async (t) => {
  for (const isEarly of [true, false]) {
    const controller = new AbortController();
    const channel = new FakeChannel();
    if (isEarly) controller.abort();
    const { done } = bridge(channel, { output: 'drop' }, { signal: controller.signal });
    controller.abort();
    await t.rejects(done, { code: 'ABORTED' });
    t.equal(channel.destroyed, true);
  }
});

t.test('an abort does not wait: neither for an output that takes nothing nor for one that is not joined', async (t) => {
  for (const ends of [{ output: new FakeOutput({ taking: false }) }, {}, { error: 'drop' }, { input: openInput() }]) {
    const controller = new AbortController();
    const channel = new FakeChannel();
    const { done } = bridge(channel, ends as BridgeEnds, { signal: controller.signal });
    channel.say('unread');
    channel.stderr.write('unread');
    await settled();
    t.equal(await stateOf(done), 'pending');
    controller.abort();
    await t.rejects(done, { code: 'ABORTED' });
    await t.rejects(channel.exit, { code: 'ABORTED' });
    t.equal(channel.destroyed, true);
  }
});

t.test('an abort rejects though the channel takes its time to close', async (t) => {
  class SlowChannel extends FakeChannel {
    override _destroy(): void {
      // never done
    }
  }
  const controller = new AbortController();
  const { done } = bridge(new SlowChannel(), { output: 'drop' }, { signal: controller.signal });
  controller.abort();
  await t.rejects(done, { code: 'ABORTED' });
});

t.test('the reason of an abort is the error when it is one of ours', async (t) => {
  const controller = new AbortController();
  const { done } = bridge(new FakeChannel(), {}, { signal: controller.signal });
  controller.abort(new ViasshError('CONNECTION_LOST', 'the other one went away'));
  await t.rejects(done, { code: 'CONNECTION_LOST', message: 'the other one went away' });
});

t.test('an abort after the end changes nothing', async (t) => {
  const controller = new AbortController();
  const channel = new FakeChannel();
  const { done } = bridge(channel, { output: 'drop' }, { signal: controller.signal });
  channel.finish();
  await done;
  controller.abort();
  t.equal(await stateOf(done), 'resolved');
  t.equal(channel.errored, null);
});

t.test('a lost connection rejects with its reason, or CONNECTION_LOST where it has none of ours', async (t) => {
  const ends: BridgeEnds = { output: 'drop' };
  const named = new FakeChannel();
  const first = bridge(named, ends).done;
  named.destroy(new ViasshError('CONNECTION_LOST', 'the server went away'));
  await t.rejects(first, { code: 'CONNECTION_LOST', message: 'the server went away' });
  const raw = new FakeChannel();
  const second = bridge(raw, ends).done;
  raw.destroy(new Error('read ECONNRESET'));
  await t.rejects(second, { code: 'CONNECTION_LOST', message: /ECONNRESET/, cause: { message: 'read ECONNRESET' } });
});

t.test('bytes that came before the loss are handed over', async (t) => {
  const channel = new FakeChannel();
  const output = new FakeOutput();
  const { done } = bridge(channel, { output });
  channel.say('so far');
  await settled();
  channel.destroy(new ViasshError('CONNECTION_LOST', 'gone'));
  await t.rejects(done, { code: 'CONNECTION_LOST' });
  t.equal(output.text, 'so far');
});

t.test('bytes that wait when the connection is lost go to a slow output before that is told', async (t) => {
  const channel = new FakeChannel();
  const output = new FakeOutput({ taking: false, highWaterMark: 1 });
  const { done } = bridge(channel, { output });
  channel.say('first ');
  await settled();
  channel.say('second');
  channel.lose(new ViasshError('CONNECTION_LOST', 'gone'));
  t.equal(await stateOf(done), 'pending');
  output.take();
  await t.rejects(done, { code: 'CONNECTION_LOST' });
  t.equal(output.text, 'first second');
});

t.test('a loss is told at once where no output is joined, though bytes wait for the caller', async (t) => {
  const channel = new FakeChannel();
  const { done } = bridge(channel, { error: 'drop' });
  channel.say('unread');
  channel.lose(new ViasshError('CONNECTION_LOST', 'gone'));
  await t.rejects(done, { code: 'CONNECTION_LOST' });
  t.equal(String(channel.read()), 'unread');
});

t.test('without an output done waits for the far end, and not for a reader', async (t) => {
  const channel = new FakeChannel();
  const { done } = bridge(channel, { error: 'drop' });
  t.equal(await stateOf(done), 'pending');
  channel.say('unread');
  channel.finish();
  await done;
  t.equal(String(channel.read()), 'unread');
});

t.test('a channel that is closed or lost already does not hang', async (t) => {
  const closed = new FakeChannel();
  closed.destroy();
  const lost = new FakeChannel();
  lost.destroy(new ViasshError('CONNECTION_LOST', 'gone'));
  await settled();
  await bridge(closed, { input: openInput(), output: new FakeOutput(), error: new FakeOutput() }).done;
  await t.rejects(bridge(lost, { input: openInput(), output: new FakeOutput() }).done, { code: 'CONNECTION_LOST' });
});

t.test('late errors of the near ends end no process', async (t) => {
  const channel = new FakeChannel();
  const [input, output, error] = [openInput(), new PassThrough(), new PassThrough()];
  output.resume();
  error.resume();
  const { done } = bridge(channel, { input, output, error });
  channel.finish();
  await done;
  for (const stream of [input, output, error]) {
    t.doesNotThrow(() => stream.emit('error', new Error('read ECONNRESET')), 'somebody listens');
  }
});

t.test('listeners do not pile up on streams that serve many bridges', async (t) => {
  const [input, output] = [openInput(), new FakeOutput()];
  const countOf = (): number =>
    [input, output]
      .flatMap((stream) => stream.eventNames().map((name) => stream.listenerCount(name)))
      .reduce((a, b) => a + b, 0);
  const counts: number[] = [];
  const { signal } = new AbortController();
  for (let round = 0; round < 12; round += 1) {
    const channel = new FakeChannel();
    const { done } = bridge(channel, { input, output }, { signal });
    channel.say('x');
    channel.finish();
    await done;
    await settled();
    counts.push(countOf());
  }
  t.equal(counts.at(-1), counts[0]);
});
