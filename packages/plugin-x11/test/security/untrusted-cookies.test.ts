import { once } from 'node:events';
import { rename, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createLogger, silentLogger } from '@viassh/core';
import {
  authorityFile,
  createFakeClock,
  makeScratchFolder,
  missingForXvfb,
  startXvfb,
  waitUntil,
  watchLeaks,
  type Xvfb,
} from '@viassh/testing';
import t from 'tap';
import { connectDisplay } from '../../src/display/connect-display.ts';
import { parseDisplay } from '../../src/display/parse-display.ts';
import { openX11Display } from '../../src/open-x11-display.ts';
import { UntrustedCookies } from '../../src/security/untrusted-cookies.ts';
import { XClient } from '../../src/security/x-client.ts';
import { writeClientSetup } from '../../src/setup/client-setup.ts';
import type { X11Event } from '../../src/x11-display.ts';
import { farDisplay } from '../far-display.ts';

const skip = (await missingForXvfb()) ?? false;

/** A display with all that it tells. */
async function opened(
  { display, authorityFile: xauthority }: Xvfb,
  options: { timeoutMs?: number; trusted?: boolean } = {},
) {
  const [events, lines, clock]: [string[], string[], ReturnType<typeof createFakeClock>] = [[], [], createFakeClock()];
  const log = createLogger('info', (level, message) => lines.push(`${level} ${message}`));
  const onEvent = ({ kind }: X11Event): void => void events.push(kind);
  const x = await openX11Display({ display, xauthority, clock, log, onEvent, ...options });
  return { x, clock, events, lines, renewals: () => events.filter((kind) => kind === 'renewed').length };
}

/** Stands at the X server with a client that came through the display. */
async function standing(t: Parameters<typeof farDisplay>[0], x: Parameters<typeof farDisplay>[1]) {
  const far = await farDisplay(t, x);
  const client = await far.dial();
  client.write(writeClientSetup({ littleEndian: true, major: 11, minor: 0 }, Buffer.from(x.cookie, 'hex')));
  const [answer] = (await once(client, 'data')) as [Buffer];
  t.equal(answer[0], 1, 'it is in');
  return client;
}

t.test('untrusted clients', { skip }, async (t) => {
  await watchLeaks(t);
  await using xvfb = await startXvfb();

  await t.test('a time of a year: the X server dies of no number of ours', async (t) => {
    const { x, clock, renewals } = await opened(xvfb, { timeoutMs: 365 * 86_400_000 });
    await using _x = x;
    await clock.advance(1_500_000_000); // to the moment itself, as below
    await waitUntil('a new cookie, before the longest time that it can count', () => renewals() === 1);
    await standing(t, x);
  });

  await t.test('they see less, and are in while cookies come and go', async (t) => {
    const { x, clock, lines, renewals } = await opened(xvfb, { timeoutMs: 60_000 });
    await using _x = x;
    const far = await farDisplay(t, x);
    const client = await standing(t, x);
    const seen = await far.run('xdpyinfo');
    t.match(seen, { code: 0, text: /version number: {4}11\.0/ });
    t.notMatch(seen.text, /SECURITY/, 'the X server shows it to trusted clients alone');
    t.match((await far.run('xwd', ['-root', '-silent'])).code, 1, 'the screen is not theirs');
    await clock.advance(44_999);
    t.same(lines, [], 'nothing to tell yet');
    for (let renewal = 1; renewal <= 3; renewal += 1) {
      await clock.advance(renewal === 1 ? 1 : 45_000); // to the moment itself: the X server has no time to answer in else
      await waitUntil('a new cookie', () => renewals() === renewal);
      t.equal((await far.run('xdpyinfo', ['-queryExtensions'])).code, 0);
    }
    t.equal(lines.length, 1, 'explained once');
    t.match(lines[0], /^info .*60 s.*ForwardX11Timeout/);
    t.notOk(client.destroyed, 'the client of the first cookie is still there');
    await x[Symbol.asyncDispose]();
    await waitUntil('the client is gone', () => client.destroyed);
    t.same(clock.pending, []);
  });

  await t.test('a cookie that the X server took back is replaced at once', async (t) => {
    const { x, renewals } = await opened(xvfb, { timeoutMs: 1000 }); // a second of the X server's; ours stands still
    await using _x = x;
    await waitUntil('a new cookie', () => renewals() === 1);
    t.equal((await (await farDisplay(t, x)).run('xdpyinfo')).code, 0);
  });

  await t.test('0: a cookie for ever, and no clock; at the end it is taken back', async (t) => {
    const clock = createFakeClock();
    const display = parseDisplay(xvfb.display);
    const limit = new AbortController().signal;
    const cookies = await UntrustedCookies.open(
      {
        display,
        enter: async (signal) => ({
          socket: await connectDisplay(display, signal),
          cookie: Buffer.from(xvfb.cookie, 'hex'),
        }),
        timeoutMs: 0,
        clock,
        log: silentLogger,
        onRenewed: () => t.fail('renewed'),
        onFailure: (error) => t.fail(error.message),
      },
      undefined,
    );
    t.same(clock.pending, []);
    const cookie = await cookies.current();
    const client = await XClient.open(display, { socket: await connectDisplay(display, limit), cookie }, limit);
    await cookies[Symbol.asyncDispose]();
    await waitUntil('the X server has ended its client', () => !client.isOpen);
    const late = XClient.open(display, { socket: await connectDisplay(display, limit), cookie }, limit);
    await t.rejects(late, { code: 'DISPLAY_UNUSABLE', message: /lets nobody in/ });
  });

  await t.test('a display that is itself untrusted makes none, and nobody falls back', async (t) => {
    const { x } = await opened(xvfb);
    await using _x = x;
    const { port } = await farDisplay(t, x);
    await using folder = await makeScratchFolder();
    const xauthority = join(folder.path, 'authority');
    await writeFile(xauthority, authorityFile([{ family: 'wild', address: '', number: '', cookie: x.cookie }]));
    const display = `127.0.0.1:${port - 6000}`;
    await t.rejects(openX11Display({ display, xauthority }), { code: 'X11_UNTRUSTED_IMPOSSIBLE', hint: /--trusted/ });
    const trusted = await openX11Display({ display, xauthority, trusted: true });
    await trusted[Symbol.asyncDispose]();
  });

  await t.test('times that are none are refused', async (t) => {
    for (const timeoutMs of [-1, Number.NaN, Infinity])
      await t.rejects(opened(xvfb, { timeoutMs }), { code: 'OPTION_INVALID' });
  });
});

t.test('an X server without SECURITY: refused, with a hint; trusted clients may come', { skip }, async (t) => {
  await watchLeaks(t);
  await using xvfb = await startXvfb({ security: false, cookie: false });
  await t.rejects(opened(xvfb), {
    code: 'X11_UNTRUSTED_IMPOSSIBLE',
    message: /has no SECURITY extension/,
    hint: /--trusted/,
  });
  const { x } = await opened(xvfb, { trusted: true });
  await using _x = x;
  t.equal((await (await farDisplay(t, x)).run('xdpyinfo')).code, 0, 'without a cookie, where none is wanted');
});

t.test('the X server dies, and another takes its place: clients get in again', { skip }, async (t) => {
  await watchLeaks(t);
  await using first = await startXvfb();
  await using second = await startXvfb();
  await using folder = await makeScratchFolder();
  const [display, xauthority] = [join(folder.path, 'display:7'), join(folder.path, 'authority')];
  const lead = async ({ socket, cookie }: Xvfb): Promise<void> => {
    await writeFile(xauthority, authorityFile([{ family: 'wild', address: '', number: '7', cookie }]));
    await symlink(socket, `${display}.new`);
    await rename(`${display}.new`, display);
  };
  for (const trusted of [true, false]) {
    await lead(first);
    const events: X11Event[] = [];
    const x = await openX11Display({ display, xauthority, trusted, onEvent: (event) => events.push(event) });
    await using _x = x;
    const far = await farDisplay(t, x);
    const client = await standing(t, x);
    if (trusted) await lead(second);
    else {
      await first.kill();
      await waitUntil('the client has heard of it', () => client.destroyed);
      const refused = await far.run('xdpyinfo');
      t.match(refused, { code: 1, text: /viassh: the X server cannot be reached/ });
      t.match(events.at(-1), { kind: 'refused', reason: /no X server listens there/ });
      await lead(second);
    }
    t.equal((await far.run('xdpyinfo')).code, 0);
  }
});

t.test('who does not let us in, or does not answer', { skip }, async (t) => {
  await watchLeaks(t);
  await using xvfb = await startXvfb();
  await using folder = await makeScratchFolder();
  const { display } = xvfb;
  for (const trusted of [false, true]) {
    const none = join(folder.path, 'none');
    await t.rejects(openX11Display({ display, xauthority: none, trusted }), {
      code: 'DISPLAY_UNUSABLE',
      message: /lets nobody in: Authorization required/,
      hint: /no cookie/,
    });
    const old = join(folder.path, 'old');
    await writeFile(old, authorityFile([{ family: 'wild', address: '', number: '', cookie: '00'.repeat(16) }]));
    await t.rejects(openX11Display({ display, xauthority: old, trusted }), {
      code: 'DISPLAY_UNUSABLE',
      hint: /old one/,
    });
    const screen = openX11Display({ display: `${display}.1`, xauthority: xvfb.authorityFile, trusted });
    await t.rejects(screen, { code: 'DISPLAY_UNUSABLE', message: /has no screen 1/ });
    const path = join(folder.path, `deaf-${trusted}:0`);
    const deaf = createServer((socket) => void socket.on('error', () => undefined).resume()).listen(path);
    await once(deaf, 'listening');
    const clock = createFakeClock();
    const waiting = openX11Display({ display: path, xauthority: none, trusted, clock });
    waiting.catch(() => undefined);
    await waitUntil('it waits', () => clock.pending.length > 0);
    const abort = new AbortController();
    const aborted = openX11Display({ display: path, xauthority: none, trusted, signal: abort.signal });
    abort.abort();
    await t.rejects(aborted, { code: 'ABORTED' });
    await clock.advance(10_000);
    await t.rejects(waiting, { code: 'DISPLAY_UNUSABLE', message: /does not answer/ });
    deaf.close();
  }
});
