import { type Connection, quoteWord, type SessionChannel, type SessionRequest, ViasshError } from '@viassh/core';
import { type FarDisplay, openFarDisplay } from './far-display/open-far-display.ts';
import { openX11Display } from './open-x11-display.ts';
import type { X11Display, X11DisplayOptions } from './x11-display.ts';

/** X11 on a connection by a remote forward: clients are let in until it is disposed of. */
export interface X11ByForward extends AsyncDisposable {
  readonly display: X11Display;
  readonly far: Pick<FarDisplay, 'display' | 'xauthority'>;
  /**
   * As `openSession` of the connection, with DISPLAY and XAUTHORITY set there: the command becomes one that calls the
   * account's shell with them, as servers drop such variables. A `SessionOpener`, so that `pipe()` takes it.
   *
   * @throws ViasshError OPTION_INVALID for a subsystem; as the connection's
   */
  openSession(request: SessionRequest): Promise<SessionChannel>;
}

/**
 * Lets programs of the far end onto a display here where the server refuses X11 but listens for us: see
 * {@link openFarDisplay}. It needs two sessions at a time there, and a shell of any kind.
 *
 * @throws ViasshError as `openX11Display` and `openFarDisplay`
 */
export async function x11ByForward(
  connection: Pick<Connection, 'openSession' | 'requestForward' | 'capabilities'>,
  options: X11DisplayOptions,
): Promise<X11ByForward> {
  await using undo = new AsyncDisposableStack();
  const display = undo.use(await openX11Display(options));
  const far = undo.use(await openFarDisplay(connection, display, options));
  const owned = undo.move();
  return {
    display,
    far,
    openSession: async (request) => await connection.openSession(withDisplay(request, far)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function withDisplay(request: SessionRequest, { display, xauthority }: FarDisplay): SessionRequest {
  if (request.kind === 'subsystem')
    throw new ViasshError('OPTION_INVALID', `the subsystem ${request.subsystem} has no display`, {
      hint: 'a display goes with a command or a shell',
    });
  const what = request.kind === 'shell' ? '-l' : `-c ${quoteWord(request.command)}`;
  const variables = `DISPLAY=${quoteWord(display)} XAUTHORITY=${quoteWord(xauthority)}`;
  return { ...request, kind: 'exec', command: `exec env ${variables} "$SHELL" ${what}` };
}
