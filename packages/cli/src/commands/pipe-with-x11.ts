import {
  type Capability,
  type Connection,
  destinationOf,
  exitCodeOf,
  type LocalContext,
  type SessionRequest,
} from '@viassh/core';
import { loadX11 } from '../builtin.ts';
import { farTerminal } from '../terminal/far-terminal.ts';
import type { CommandContext } from './command-context.ts';
import { openOrHandOver } from './open-or-hand-over.ts';

/** A session that is to have X11. */
export interface X11PipeArguments {
  readonly destination: string;
  readonly request: SessionRequest;
  readonly needs: readonly Capability[];
  readonly tty: boolean;
  readonly trusted: boolean;
}

/** Joins streams to a session, as `viassh pipe` does. */
type Carry = (
  context: CommandContext,
  opener: Pick<Connection, 'openSession'>,
  request: SessionRequest,
  tty: boolean,
) => Promise<number>;

/** `viassh pipe -X` and `-Y`: the display and its cookie are those of DISPLAY and XAUTHORITY. Returns the exit code. */
export async function runPipeWithX11(
  context: CommandContext,
  { destination, request, needs, tty, trusted }: X11PipeArguments,
  carry: Carry,
): Promise<number> {
  const { log, signal, environment } = context;
  const { DISPLAY: display, XAUTHORITY: xauthority } = environment.variables;
  const { askedDisplay, readyForSsh, x11 } = await loadX11();
  let settings: LocalContext['settings'];
  const asked = () =>
    askedDisplay({ display: display || undefined, xauthority: xauthority || undefined, trusted }, settings);
  asked(); // before anything is dialled
  return await openOrHandOver(
    context,
    destination,
    [...needs, 'x11'],
    { onRoute: (route) => void (settings = destinationOf(route).raw) },
    async (connection) => {
      await using owned = connection;
      await using forward = await x11(owned, { ...asked(), log, signal });
      return await carry(context, forward, request, tty);
    },
    async (handOver) => {
      using ready = await readyForSsh(asked(), { programs: environment.programs, log, signal, settings });
      const pty = tty ? farTerminal(context, environment.variables) : undefined;
      return exitCodeOf(await handOver({ ...request, pty }, { x11: ready.wish }));
    },
  );
}
