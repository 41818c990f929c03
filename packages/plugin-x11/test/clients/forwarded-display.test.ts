import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Duplex, PassThrough } from 'node:stream';
import { createLogger } from '@viassh/core';
import {
  createFakeClock,
  makeScratchFolder,
  missingForXvfb,
  startXvfb,
  waitUntil,
  watchLeaks,
  type Xvfb,
} from '@viassh/testing';
import t from 'tap';
import { ForwardedDisplay } from '../../src/clients/forwarded-display.ts';
import { Teller } from '../../src/clients/teller.ts';
import { connectDisplay } from '../../src/display/connect-display.ts';
import { parseDisplay } from '../../src/display/parse-display.ts';
import { openX11Display } from '../../src/open-x11-display.ts';
import { writeClientSetup } from '../../src/setup/client-setup.ts';
import type { X11Event } from '../../src/x11-display.ts';
import { farDisplay } from '../far-display.ts';

const skip = (await missingForXvfb()) ?? false;
const little = { littleEndian: true, major: 11, minor: 0 };

async function opened({ display, authorityFile: xauthority }: Xvfb, options: { singleConnection?: boolean } = {}) {
  const events: X11Event[] = [];
  const onEvent = (event: X11Event): void => void events.push(event);
  const x = await openX11Display({ display, xauthority, trusted: true, onEvent, ...options });
  return { x, events };
}

/** A display whose X server is a socket of the test: clients, and all that it tells. */
function before(path: string) {
  const [events, lines, clock]: [X11Event[], string[], ReturnType<typeof createFakeClock>] = [
    [],
    [],
    createFakeClock(),
  ];
  const log = createLogger('info', (_, line) => lines.push(line));
  const x = new ForwardedDisplay({
    screen: 0,
    trusted: true,
    singleConnection: false,
    clock,
    teller: new Teller(log, (event) => {
      events.push(event);
      throw new Error('who listens is broken');
    }),
    enter: async (signal) => ({ socket: await connectDisplay(parseDisplay(path), signal), cookie: undefined }),
    close: () => Promise.resolve(),
  });
  return { x, events, lines, clock };
}

/** A client of the far end, as a stream; `say` is what comes from it. */
function client(): { stream: Duplex; say: PassThrough; heard: () => Buffer } {
  const [say, heard]: [PassThrough, Buffer[]] = [new PassThrough(), []];
  const hear = new PassThrough().on('data', (chunk: Buffer) => heard.push(chunk));
  return { stream: Duplex.from({ readable: say, writable: hear }), say, heard: () => Buffer.concat(heard) };
}

/** What xdpyinfo prints, but for the name of the display, and for where the focus is. */
function behindName(text: string): string {
  return text.slice(text.indexOf('\n')).replace(/^focus:.*$/m, '');
}

t.test('real clients, trusted', { skip }, async (t) => {
  await watchLeaks(t);
  await using xvfb = await startXvfb();

  await t.test('they see what clients of this machine see, several at once, byte for byte', async (t) => {
    const { x, events } = await opened(xvfb);
    await using _x = x;
    const far = await farDisplay(t, x);
    const xwd = ['-root', '-silent'];
    const direct = await xvfb.run('xwd', [...xwd, '-out', '/dev/null']);
    t.same(direct.exit, { kind: 'status', code: 0 });
    const pictures = await Promise.all(Array.from({ length: 5 }, () => far.run('xwd', xwd)));
    for (const { code, bytes } of pictures) {
      t.equal(code, 0);
      t.ok(bytes.length > 640 * 480 * 4);
      t.ok(bytes.equals((pictures[0] as { bytes: Buffer }).bytes));
    }
    const [here, there] = [await xvfb.run('xdpyinfo'), await far.run('xdpyinfo')];
    t.equal(behindName(there.text), behindName(here.stdout));
    await x.idle();
    await waitUntil('all have left', () => x.counters.clients === 0);
    t.match(x.counters, { clients: 0, accepted: 6, refused: 0 });
    t.ok(x.counters.fromDisplay > 5 * 640 * 480 * 4);
    t.equal(events.filter(({ kind }) => kind === 'closed').length, 6);
  });

  await t.test('a wrong cookie, and none: refused in the words of X11, and told', async (t) => {
    const { x, events } = await opened(xvfb);
    await using _x = x;
    const far = await farDisplay(t, x);
    t.match(await far.run('xdpyinfo', [], '00'.repeat(16)), { code: 1, text: /viassh: its cookie is wrong/ });
    t.match(
      await far.run('xdpyinfo', [], xvfb.cookie),
      { code: 1, text: /viassh: its cookie is wrong/ },
      'the real one',
    );
    const bare = await far.dial();
    bare.write(writeClientSetup(little, undefined));
    t.match(String(await once(bare, 'data')), /viassh: it has no cookie/);
    t.match(events, [{ kind: 'refused' }, { kind: 'refused' }, { kind: 'refused', reason: 'it has no cookie' }]);
    t.match(x.counters, { accepted: 0, refused: 3, toDisplay: 0, fromDisplay: 0 });
  });

  await t.test('single connection: one, and no more', async (t) => {
    const { x } = await opened(xvfb, { singleConnection: true });
    await using _x = x;
    const far = await farDisplay(t, x);
    t.equal((await far.run('xdpyinfo', [], '00'.repeat(16))).code, 1, 'who is not let in does not count');
    t.equal((await far.run('xdpyinfo')).code, 0);
    t.match(await far.run('xdpyinfo'), { code: 1, text: /one client is let in, and no more/ });
  });

  await t.test('a client of the other byte order, in pieces; ended with the display', async (t) => {
    const { x } = await opened(xvfb);
    const far = await farDisplay(t, x);
    const dialled = await far.dial();
    const packet = writeClientSetup({ ...little, littleEndian: false }, Buffer.from(x.cookie, 'hex'));
    for (const at of [0, 1, 11, 13, 40]) {
      const end = { 0: 1, 1: 11, 11: 13, 13: 40, 40: packet.length }[at];
      await new Promise<void>((resolve) => void dialled.write(packet.subarray(at, end), () => resolve()));
    }
    const [answer] = (await once(dialled, 'data')) as [Buffer];
    t.equal(answer.readUInt16BE(2), 11, 'the X server answers in its byte order');
    await x[Symbol.asyncDispose]();
    await waitUntil('the client is gone', () => dialled.destroyed);
    t.match(await far.run('xdpyinfo'), { code: 1 }, 'nobody else comes in');
  });
});

t.test('who says nothing, and who floods', async (t) => {
  await watchLeaks(t);
  const { x, events, lines, clock } = before('/nowhere:0');
  await using _x = x;
  const silent = Array.from({ length: 520 }, client);
  for (const { stream } of silent) x.serve(stream);
  t.equal(events.length, 8, 'more than 512 at once are refused');
  await clock.advance(30_000);
  t.equal(x.counters.refused, 520);
  await waitUntil('all are gone', () => silent.every(({ stream }) => stream.destroyed));
  t.equal(lines.length, 21, 'and the log is not flooded');
  await x.idle();
  const [gone, other] = [client(), client()];
  gone.stream.destroy();
  x.serve(gone.stream);
  x.serve(other.stream);
  other.say.end('6');
  await waitUntil('it is refused', () => other.stream.destroyed);
  t.equal(other.heard().length, 0, 'what is not X11 gets no answer');
});

t.test('a client of the far end does not hear of files of this machine', async (t) => {
  const { x, events } = before('/home/jack/display:0');
  await using _x = x;
  const { stream, say, heard } = client();
  x.serve(stream);
  say.write(writeClientSetup(little, Buffer.from(x.cookie, 'hex')));
  await waitUntil('it is refused', () => stream.writableFinished);
  t.match(events, [{ kind: 'refused', reason: /\/home\/jack/ }]);
  t.match(String(heard()), /viassh: the X server cannot be reached/);
  t.notMatch(String(heard()), 'jack');
});

t.test('an X server that takes nothing, and a client that takes nothing: neither fills this process', async (t) => {
  await watchLeaks(t);
  const MOST = 256; // chunks from either: without backpressure this fails, and does not fill the machine
  await using folder = await makeScratchFolder();
  const path = join(folder.path, 'display:0');
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    t.teardown(() => void socket.destroy());
    socket.on('error', () => undefined);
    let sent = 0;
    const pour = (): void => {
      while (socket.writable && sent < MOST) {
        sent += 1;
        if (!socket.write(Buffer.alloc(65_536, 1))) return void socket.once('drain', pour);
      }
    };
    pour();
  }).listen(path);
  t.teardown(() => void server.close());
  await once(server, 'listening');
  const { x } = before(path);
  await using _x = x;
  let taken = 0;
  let poured = 0;
  const setup = writeClientSetup(little, Buffer.from(x.cookie, 'hex'));
  const stream = new Duplex({
    read() {
      poured += 1;
      if (poured <= MOST) this.push(poured === 1 ? setup : Buffer.alloc(65_536));
    },
    write(chunk: Buffer) {
      taken += chunk.length; // and never says that it is done with it
    },
  });
  x.serve(stream);
  let last = -1;
  await waitUntil(
    'it stands still',
    () => {
      const [before_, now] = [last, x.counters.toDisplay + x.counters.fromDisplay];
      last = now;
      return now > 0 && now === before_;
    },
    { everyMs: 50 },
  );
  t.ok(x.counters.toDisplay < 4 * 2 ** 20, `${x.counters.toDisplay} to the X server`);
  t.ok(x.counters.fromDisplay < 2 ** 20, `${x.counters.fromDisplay} from it`);
  t.ok(taken <= 65_536);
});

t.test('the X server refuses a client, or dies under it: told, and its side is ended', async (t) => {
  await watchLeaks(t);
  await using folder = await makeScratchFolder();
  const path = join(folder.path, 'display:0');
  let answer = Buffer.from('0002 0b00 0000 0100 6e6f 0000'.replaceAll(' ', ''), 'hex');
  const server = createServer((socket) => {
    socket.on('error', () => undefined).resume();
    socket.end(answer);
  }).listen(path);
  t.teardown(() => void server.close());
  await once(server, 'listening');
  const { x, events } = before(path);
  await using _x = x;
  for (const expected of [
    [{ kind: 'opened' }, { kind: 'refused-by-display', reason: 'no' }, { kind: 'closed' }],
    [{ kind: 'opened' }, { kind: 'closed' }],
  ]) {
    const { stream, say, heard } = client();
    x.serve(stream);
    say.write(writeClientSetup(little, Buffer.from(x.cookie, 'hex')));
    await waitUntil('it is over', () => stream.writableFinished && events.length === expected.length);
    t.match(events.splice(0), expected);
    t.same(heard(), answer);
    say.end();
    await x.idle();
    answer = Buffer.from('0100', 'hex');
  }
});
