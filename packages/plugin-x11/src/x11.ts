import {
  capabilityMissing,
  type Connection,
  type SessionChannel,
  type SessionRequest,
  type X11Request,
} from '@viassh/core';
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
 * Lets programs of the far end onto a display here. Takes the X11 channels of the connection until it is disposed of; clients
 * that are in stay when the session has ended, until then.
 *
 * @throws ViasshError as `openX11Display`; CAPABILITY_MISSING, before the display is looked at; OPTION_INVALID when
 * somebody takes these channels already
 */
export async function x11(connection: Connection, options: X11DisplayOptions): Promise<X11Forward> {
  if (!connection.capabilities.has('x11')) throw capabilityMissing(connection.transport, 'x11', 'use --transport ssh2');
  const display = await openX11Display(options);
  let living = 0;
  try {
    const handling = connection.onIncomingChannel('x11', (incoming) => {
      if (living > 0) display.serve(incoming.accept(), incoming.originator);
      else incoming.refuse('no session with X11 is left');
    });
    const { protocol, cookie, screen, singleConnection } = display;
    const request = { protocol, cookie, screen, singleConnection };
    return {
      display,
      request,
      async openSession(session) {
        living += 1; // its first client may come before we hear that it was accepted
        const left = (): void => void (living -= 1);
        try {
          const channel = await connection.openSession({ ...session, x11: request });
          channel.exit.then(left, left);
          return channel;
        } catch (error) {
          left();
          throw error;
        }
      },
      async [Symbol.asyncDispose]() {
        handling[Symbol.dispose]();
        await display[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await display[Symbol.asyncDispose]();
    throw error;
  }
}
