import { ViasshError } from '../errors/viassh-error.ts';

/** A place of this machine where local programs meet us: `unix:PATH` or `tcp:[HOST:]PORT`. */
export type NearEnd =
  | { readonly kind: 'unix'; readonly path: string }
  /** Port 0: one that is free. */
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

const LOOPBACK = '127.0.0.1';
/** Bytes of the path of a Unix socket: sun_path of unix(7) without its NUL. */
export const LONGEST_PATH = 107;

/**
 * Reads `unix:PATH`, `tcp:PORT`, `tcp:HOST:PORT`, `tcp:[V6ADDRESS]:PORT`. Without a host it is loopback.
 *
 * @throws ViasshError OPTION_INVALID
 */
export function parseNearEnd(text: string): NearEnd {
  const path = /^unix:(.+)$/s.exec(text)?.[1];
  if (path !== undefined) return { kind: 'unix', path: checkedPath(path) };
  const [, bracketed, plain, digits] =
    /^tcp:(?:\[([0-9A-Fa-f:.]+(?:%[^\s\]]+)?)\]:|([^\s:[\]]+):)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits !== undefined && port <= 65_535) return { kind: 'tcp', host: bracketed ?? plain ?? LOOPBACK, port };
  throw new ViasshError('OPTION_INVALID', `this is no place to listen on: '${text}'`, {
    hint: 'write unix:PATH, tcp:PORT or tcp:HOST:PORT; tcp:0 takes a port that is free',
  });
}

/** The form that {@link parseNearEnd} reads. */
export function formatNearEnd(nearEnd: NearEnd): string {
  if (nearEnd.kind === 'unix') return `unix:${nearEnd.path}`;
  return `tcp:${nearEnd.host.includes(':') ? `[${nearEnd.host}]` : nearEnd.host}:${nearEnd.port}`;
}

/** What goes to stdout once clients may come: a line, with its end. */
export function announceNearEnd(nearEnd: NearEnd, json: boolean): string {
  const listening = formatNearEnd(nearEnd);
  return json ? `${JSON.stringify({ listening })}\n` : `listening on ${listening}\n`;
}

function checkedPath(path: string): string {
  const problem = path.includes('\0')
    ? 'has a NUL in it'
    : Buffer.byteLength(path) > LONGEST_PATH
      ? `has more than ${LONGEST_PATH} bytes`
      : undefined;
  if (problem === undefined) return path;
  throw new ViasshError('OPTION_INVALID', `the path of the socket ${problem}: ${path}`, {
    hint: 'take a shorter one, e.g. below $XDG_RUNTIME_DIR, or a relative one',
  });
}
