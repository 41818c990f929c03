import {
  type Connection,
  type IncomingChannel,
  isViasshError,
  type Logger,
  type RemoteForwardRequest,
  type RemoteListener,
  ViasshError,
} from '@viassh/core';
import type { X11Display } from '../x11-display.ts';
import { farAuthority } from './far-authority.ts';
import { type FarFolder, makeFarFolder, SOCKETS } from './far-folder.ts';

/** Well above those that sshd gives to its own clients (X11DisplayOffset 10) and that real displays have. */
const FIRST_NUMBER = 50;
/** Several, as somebody may be a moment earlier; not many, as a server that forbids it forbids each. */
const MOST_SOCKETS = 3;
const MOST_PORTS = 10;
/** Displays on TCP listen there: X(7). */
const PORT_OF_DISPLAY_0 = 6000;

/** A display of the far end that leads to one here, by a remote forward and without X11 of the server. */
export interface FarDisplay extends AsyncDisposable {
  /** DISPLAY for programs there. */
  readonly display: string;
  /** XAUTHORITY for programs there: a private file. */
  readonly xauthority: string;
}

/** Of a Connection: what it takes. */
type FarDisplayConnection = Pick<Connection, 'openSession' | 'requestForward' | 'capabilities'>;

/**
 * Has the far end listen as display N: on the socket that X clients look for, or on localhost where it cannot or may not
 * make one. Its cookie, the fake one, is in a file of a private folder there. All of that goes away when it is disposed of,
 * and when the connection is lost.
 *
 * @throws ViasshError X11_REFUSED, FORWARD_REFUSED, CONNECTION_LOST, ABORTED; of `openSession`
 */
export async function openFarDisplay(
  connection: FarDisplayConnection,
  display: X11Display,
  options: { readonly signal?: AbortSignal | undefined; readonly log?: Logger | undefined },
): Promise<FarDisplay> {
  await using undo = new AsyncDisposableStack();
  const folder = undo.use(await makeFarFolder(connection, options));
  const serve = (incoming: IncomingChannel): void => display.serve(incoming.accept(), incoming.originator);
  const { number, listener } = await listenAsDisplay(connection, folder, serve, options.signal);
  undo.use(listener);
  const { address } = listener;
  const isSocket = address.kind === 'streamlocal';
  const content = farAuthority(folder.hostName, number, display);
  const xauthority = await folder.writeAuthority(content, isSocket ? address.path : undefined);
  const name = `${isSocket ? '' : 'localhost'}:${number}.${display.screen}`;
  options.log?.info(
    `the far end has the display ${name}, by ${isSocket ? `the socket ${address.path}` : `port ${address.port}`}`,
  );
  const owned = undo.move();
  return {
    display: name,
    xauthority,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** @throws ViasshError FORWARD_REFUSED in the words of the last attempt */
async function listenAsDisplay(
  connection: FarDisplayConnection,
  { hasSockets, taken }: FarFolder,
  serve: (incoming: IncomingChannel) => void,
  signal: AbortSignal | undefined,
): Promise<{ readonly number: number; readonly listener: RemoteListener }> {
  const useSockets = hasSockets && connection.capabilities.has('forwarded-streamlocal');
  let refusal: unknown;
  for (const number of freeNumbers(taken, useSockets ? MOST_SOCKETS + MOST_PORTS : MOST_PORTS)) {
    const asSocket = useSockets && number.attempt < MOST_SOCKETS;
    const request: RemoteForwardRequest = asSocket
      ? { kind: 'streamlocal', path: `${SOCKETS}/X${number.value}` }
      : { kind: 'tcpip', bindAddress: 'localhost', port: PORT_OF_DISPLAY_0 + number.value };
    try {
      return { number: number.value, listener: await connection.requestForward(request, serve, { signal }) };
    } catch (error) {
      if (!isViasshError(error, 'FORWARD_REFUSED')) throw error;
      refusal = error;
    }
  }
  const { message, hint } = refusal as ViasshError;
  throw new ViasshError('FORWARD_REFUSED', `no display can be made on the far end: ${message}`, {
    hint,
    cause: refusal,
  });
}

function* freeNumbers(
  taken: ReadonlySet<number>,
  most: number,
): Generator<{ readonly value: number; readonly attempt: number }> {
  let attempt = 0;
  for (let value = FIRST_NUMBER; attempt < most; value += 1) {
    if (taken.has(value)) continue;
    yield { value, attempt };
    attempt += 1;
  }
}
