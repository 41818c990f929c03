import type { Connection, SessionChannel, SessionRequest, X11Request } from '@viassh/core';
import { openX11Display } from './open-x11-display.ts';
import type { X11Display, X11DisplayOptions } from './x11-display.ts';

/** X11 on a connection, by x11-req (RFC 4254 §6.3): clients are let in while a session that was opened with it lives. */
export interface X11Forward extends AsyncDisposable {
  readonly display: X11Display;
  readonly request: X11Request;
  /**
   * As `openSession` of the connection, with X11: a `SessionOpener`, so that `pipe(forward, request, options)` works.
   *
   * @throws ViasshError X11_REFUSED and as the connection's
   */
  openSession(request: SessionRequest): Promise<SessionChannel>;
}

/**
 * Lets programs of the far end onto a display here. Takes the X11 channels of the connection until it is disposed of.
 *
 * @throws ViasshError as `openX11Display`; CAPABILITY_MISSING, before the display is looked at; OPTION_INVALID when
 * somebody takes these channels already
 */
export async function x11(connection: Connection, options: X11DisplayOptions): Promise<X11Forward> {
  const display = await openX11Display(options);
  const { protocol, cookie, screen, singleConnection } = display;
  const request = { protocol, cookie, screen, singleConnection };
  return {
    display,
    request,
    openSession: (session) => connection.openSession({ ...session, x11: request }),
    [Symbol.asyncDispose]: () => display[Symbol.asyncDispose](),
  };
}
