import type { Connection } from '@viassh/core';
import { loadX11, type X11ByForward, type X11DisplayOptions, type X11Forward } from '../builtin.ts';

/**
 * Lets programs of the far end onto a display here (`ssh -X`; `trusted`: `ssh -Y`), with a cookie of its own. Programs are
 * started by its `openSession`, also through `pipe()`. The connection has to be one of the ssh2 transport.
 *
 * @throws ViasshError CAPABILITY_MISSING, DISPLAY_UNUSABLE, X11_UNTRUSTED_IMPOSSIBLE, OPTION_INVALID, ABORTED
 */
export async function x11(connection: Connection, options: X11DisplayOptions): Promise<X11Forward> {
  return await (await loadX11()).x11(connection, options);
}

/**
 * The same by a remote forward, on any transport, and where the server refuses X11: the far end gets a display socket, and
 * a private file with the cookie.
 *
 * @throws ViasshError DISPLAY_UNUSABLE, X11_UNTRUSTED_IMPOSSIBLE, X11_REFUSED, FORWARD_REFUSED, CONNECTION_LOST, ABORTED
 */
export async function x11ByForward(connection: Connection, options: X11DisplayOptions): Promise<X11ByForward> {
  return await (await loadX11()).x11ByForward(connection, options);
}
