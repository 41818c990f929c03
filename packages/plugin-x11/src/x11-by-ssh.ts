import { platform } from 'node:os';
import { isViasshError, type HandedX11, type LocalContext, ViasshError } from '@viassh/core';
import { openX11Display } from './open-x11-display.ts';
import { LONGEST_COOKIE_TIME, type X11DisplayOptions } from './x11-display.ts';

/** What is looked at on this machine. */
export type X11BySshContext = Pick<LocalContext, 'programs' | 'signal' | 'log' | 'settings'>;

/** An X11 that ssh may be asked for; disposing takes the warning of its end away. */
export interface X11BySsh extends Disposable {
  readonly wish: HandedX11;
}

/** ssh(1) takes no other letters (client_x11_display_valid of clientloop.c). */
const WHAT_SSH_TAKES = /^[\w:/.-]+$/;

/** Where ssh looks when ssh_config has no XAuthLocation. */
const XAUTH = '/usr/bin/xauth';

/**
 * Looks, before an ssh is asked for X11 (`-X`, `-Y`), at all that it would find out late, or pass over with a word on
 * stderr: whether the display can be opened, whether it can keep untrusted clients apart, and whether `xauth` is here,
 * which ssh has the cookies from. Warns a while before ssh lets no further client in.
 *
 * @throws ViasshError as `openX11Display`; DISPLAY_UNUSABLE for a display that ssh does not take; OPTION_INVALID for what
 * it cannot do
 */
export async function readyForSsh(
  { singleConnection, ...options }: X11DisplayOptions & { readonly timeoutMs: number; readonly trusted: boolean },
  { programs, signal, log, settings }: X11BySshContext,
): Promise<X11BySsh> {
  const { display, xauthority, trusted, timeoutMs } = options;
  if (singleConnection === true)
    throw new ViasshError('OPTION_INVALID', 'ssh has no --single-connection', {
      hint: 'use --transport ssh2, or --way forward',
    });
  if (!WHAT_SSH_TAKES.test(display) || (display.startsWith('/') && platform() !== 'darwin'))
    throw new ViasshError('DISPLAY_UNUSABLE', `ssh takes no display that is written as '${display}'`, {
      hint: 'use --transport ssh2, or --way forward',
    });
  await using opened = await openX11Display({ ...options, signal });
  log.debug(`the display ${display} can be opened${opened.trusted ? '' : ', and makes untrusted cookies'}`);
  await checkXauth(settings?.get('xauthlocation')?.[0] ?? XAUTH, trusted, { programs, signal, log });
  const timeout = Math.min(Math.ceil(timeoutMs / 1000), LONGEST_COOKIE_TIME); // ssh takes 0 for ever
  const warning = trusted || timeout === 0 ? undefined : warnOfTimeout(timeout, log);
  return {
    wish: { trusted, timeout, display, xauthority },
    [Symbol.dispose]: () => clearTimeout(warning),
  };
}

/** @throws ViasshError X11_UNTRUSTED_IMPOSSIBLE */
async function checkXauth(
  file: string,
  trusted: boolean,
  { programs, signal, log }: Pick<X11BySshContext, 'programs' | 'signal' | 'log'>,
): Promise<void> {
  try {
    await programs.run({ file, args: ['-V'], signal });
  } catch (error) {
    if (!isViasshError(error, 'PROGRAM_NOT_FOUND')) throw error;
    const missing = `ssh needs the program ${file} here, and it is missing`;
    const hint = 'install xauth, or use --transport ssh2, or --way forward: these need none here';
    if (!trusted) throw new ViasshError('X11_UNTRUSTED_IMPOSSIBLE', missing, { hint, cause: error });
    log.warning(`${missing}: a display that wants a cookie will refuse; ${hint}`);
  }
}

/** Before it bites, and not so early that it is forgotten. */
function warnOfTimeout(timeout: number, log: X11BySshContext['log']): NodeJS.Timeout | undefined {
  const ahead = Math.min(60, timeout / 10);
  const inMs = (timeout - ahead) * 1000;
  const remedy = 'programs that have their windows keep them; --timeout 0 sets no end, --way forward renews';
  log.info(`ssh lets programs onto the display for ${timeout} s (ForwardX11Timeout), and later ones not: ${remedy}`);
  if (inMs > 2 ** 31 - 1) return undefined;
  const warn = (): void =>
    log.warning(
      `in ${Math.round(ahead)} s ssh lets no further program onto the display (ForwardX11Timeout): ${remedy}`,
    );
  return setTimeout(warn, inMs).unref();
}
