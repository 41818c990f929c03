import { ViasshError } from '../errors/viassh-error.ts';
import type { Capability } from './capability.ts';
import type { Channel } from './channel.ts';
import { checkTcpipTarget } from './check-tcpip-target.ts';
import type { Connection } from './connection.ts';

/** What the far end does for us: runs a command for its shell, dials a TCP port, or a Unix socket of its own. */
export type FarEnd =
  | { readonly kind: 'exec'; readonly command: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** The capability that a far end needs. */
export const farEndNeeds: Readonly<Record<FarEnd['kind'], Capability>> = {
  exec: 'exec',
  tcp: 'direct-tcpip',
  unix: 'direct-streamlocal',
};

/**
 * Reads `HOST:PORT`, `[V6ADDRESS]:PORT`, or `PORT` for the far end's own.
 *
 * @throws ViasshError OPTION_INVALID
 */
export function parseTcpFarEnd(text: string): Extract<FarEnd, { kind: 'tcp' }> {
  const [, bracketed, plain, digits] =
    /^(?:\[([0-9A-Fa-f:.]+(?:%[^\s\]]+)?)\]:|([^\s:[\]]+):)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  const host = bracketed ?? plain ?? 'localhost';
  if (digits !== undefined && port >= 1 && port <= 65_535) {
    checkTcpipTarget({ host, port });
    return { kind: 'tcp', host, port };
  }
  throw new ViasshError('OPTION_INVALID', `this is no host and port: '${text}'`, {
    hint: 'write HOST:PORT, as the far end is to dial it, e.g. localhost:25',
  });
}

/** For messages: `localhost:25`, the path of a socket, the command in quotes. */
export function describeFarEnd(farEnd: FarEnd): string {
  if (farEnd.kind === 'exec') return `'${farEnd.command}'`;
  if (farEnd.kind === 'unix') return farEnd.path;
  return `${farEnd.host.includes(':') ? `[${farEnd.host}]` : farEnd.host}:${farEnd.port}`;
}

/**
 * Opens a channel to a far end.
 *
 * @throws ViasshError CHANNEL_REFUSED, REQUEST_REFUSED, CONNECTION_LOST, CONNECTION_CLOSED, ABORTED
 */
export async function openFarEnd(
  connection: Pick<Connection, 'openSession' | 'openDirectTcpip' | 'openDirectStreamlocal'>,
  farEnd: FarEnd,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Channel> {
  if (farEnd.kind === 'exec') return await connection.openSession({ kind: 'exec', command: farEnd.command, signal });
  if (farEnd.kind === 'unix') return await connection.openDirectStreamlocal(farEnd.path, { signal });
  return await connection.openDirectTcpip({ host: farEnd.host, port: farEnd.port }, { signal });
}
