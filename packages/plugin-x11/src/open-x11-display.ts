import { silentLogger, systemClock, ViasshError } from '@viassh/core';
import { displayAddress, findCookie } from './authority/find-cookie.ts';
import { readAuthority, usualAuthority } from './authority/read-authority.ts';
import { ForwardedDisplay } from './clients/forwarded-display.ts';
import { Teller } from './clients/teller.ts';
import { connectDisplay } from './display/connect-display.ts';
import { type DisplayName, parseDisplay } from './display/parse-display.ts';
import { within } from './display/within.ts';
import { noScreen, UntrustedCookies } from './security/untrusted-cookies.ts';
import { type Entrance, XClient } from './security/x-client.ts';
import { FORWARD_X11_TIMEOUT_MS, type X11Display, type X11DisplayOptions } from './x11-display.ts';

/** Milliseconds for an X server to let us in. */
const ANSWER_TIME = 10_000;

/**
 * Opens a display for clients from elsewhere: connects to it once, with its real cookie, and makes an untrusted cookie
 * unless it is `trusted`.
 *
 * @throws ViasshError OPTION_INVALID, DISPLAY_UNUSABLE, ABORTED; X11_UNTRUSTED_IMPOSSIBLE: there is no way back to trusted
 */
export async function openX11Display(options: X11DisplayOptions): Promise<X11Display> {
  const { trusted = false, singleConnection = false, timeoutMs = FORWARD_X11_TIMEOUT_MS, signal } = options;
  const { clock = systemClock, log = silentLogger, xauthority = usualAuthority() } = options;
  if (!Number.isFinite(timeoutMs) || timeoutMs < 0)
    throw new ViasshError('OPTION_INVALID', `${timeoutMs} ms is no time for which a cookie can be kept`, {
      hint: 'name milliseconds, or 0 for ever',
    });
  const display = parseDisplay(options.display);
  const teller = new Teller(log, options.onEvent);
  const common = { screen: display.screen, trusted, singleConnection, clock, teller };
  const enter = async (limit: AbortSignal): Promise<Entrance> => await enterDisplay(display, xauthority, limit);
  if (trusted) {
    await within(
      { clock, ms: ANSWER_TIME, signal },
      () => silent(display),
      (limit) => look(display, enter, limit),
    );
    return new ForwardedDisplay({ ...common, enter, close: () => Promise.resolve() });
  }
  const cookies = await UntrustedCookies.open(
    {
      display,
      enter,
      timeoutMs,
      clock,
      log,
      onRenewed: () => teller.tell({ kind: 'renewed' }),
      onFailure: (error) => teller.tell({ kind: 'renewal-failed', error }),
    },
    signal,
  );
  return new ForwardedDisplay({
    ...common,
    enter: async (limit) => {
      const cookie = await cookies.current();
      return { socket: await connectDisplay(display, limit), cookie };
    },
    close: () => cookies[Symbol.asyncDispose](),
  });
}

/** A connection to the X server, with the real cookie for its address: the file is read again, as an X server may be new. */
async function enterDisplay(display: DisplayName, xauthority: string, signal: AbortSignal): Promise<Entrance> {
  const entries = await readAuthority(xauthority);
  const socket = await connectDisplay(display, signal);
  return { socket, cookie: findCookie(entries, displayAddress(socket, display.number)) };
}

/** Does it let us in, and has it the screen? */
async function look(
  display: DisplayName,
  enter: (signal: AbortSignal) => Promise<Entrance>,
  signal: AbortSignal,
): Promise<void> {
  const client = await XClient.open(display, await enter(signal), signal);
  client.close();
  if (display.screen >= client.screens) throw noScreen(display, client.screens);
}

function silent({ text }: DisplayName): ViasshError {
  return new ViasshError('DISPLAY_UNUSABLE', `the X server of ${text} does not answer`, {
    hint: 'DISPLAY must name a display that xdpyinfo can open from here',
  });
}
