import { isIPv6 } from 'node:net';
import { ViasshError } from '@viassh/core';

/** What a DISPLAY says (X(7), "Display names"). `number` is the display, `screen` the screen on it. */
export type DisplayName = {
  /** As it was written. */
  readonly text: string;
  readonly number: number;
  readonly screen: number;
} & (
  | { readonly kind: 'local' }
  | { readonly kind: 'tcp'; readonly host: string }
  /** A socket by its path, as launchd makes them on macOS; where there is none of the first name, the next. */
  | { readonly kind: 'path'; readonly paths: readonly string[] }
);

/** The port of display 0 on TCP. */
export const X11_PORT = 6000;
const HIGHEST_DISPLAY = 65_535 - X11_PORT;
/** The number of screens is a byte of the setup. */
const HIGHEST_SCREEN = 255;

/**
 * Reads a display name: `:0`, `:0.1`, `unix:0`, `host:10`, `[::1]:10.2`, `tcp/host:10`, `/path/of/a/socket:0`,
 * `unix:/path/of/a/socket`.
 *
 * @throws ViasshError DISPLAY_UNUSABLE
 */
export function parseDisplay(text: string): DisplayName {
  if (text === '') {
    throw new ViasshError('DISPLAY_UNUSABLE', 'there is no display here: DISPLAY is not set', {
      hint: 'start this where X programs can be started, or name the display',
    });
  }
  // control characters and blanks are in no name of a host, and in no path that an X server makes
  if (text.length > 1024 || /[\0-\x20\x7f]/.test(text)) throw invalid(text);
  const path = /^(?:unix:)?(\/.*)$/s.exec(text)?.[1];
  return path === undefined ? parseNamed(text) : parsePath(text, path);
}

function parseNamed(text: string): DisplayName {
  const match = /^(?:(unix|local|tcp|inet|inet6)\/)?(.*):(\d{1,5})(?:\.(\d{1,3}))?$/s.exec(text);
  if (match === null) throw invalid(text);
  const [, protocol, host = '', number, screen = '0'] = match;
  const at = { text, number: Number(number), screen: Number(screen) };
  if (at.number > HIGHEST_DISPLAY || at.screen > HIGHEST_SCREEN) throw invalid(text);
  if (protocol === 'unix' || protocol === 'local') return { ...at, kind: 'local' };
  if (protocol === undefined && (host === '' || host === 'unix' || /^[^/]+\/unix$/.test(host)))
    return { ...at, kind: 'local' };
  return { ...at, kind: 'tcp', host: checkHost(host, text) };
}

function parsePath(text: string, path: string): DisplayName {
  const screen = /^(.+)\.(\d{1,3})$/s.exec(path);
  const withoutScreen = screen?.[1] ?? path;
  const number = Number(/:(\d{1,5})$/.exec(withoutScreen)?.[1] ?? 0);
  const paths = screen === null ? [path] : [path, withoutScreen];
  const at = { text, number, screen: Number(screen?.[2] ?? 0) };
  if (at.number > HIGHEST_DISPLAY || at.screen > HIGHEST_SCREEN) throw invalid(text);
  return { ...at, kind: 'path', paths };
}

function checkHost(host: string, text: string): string {
  const bare = /^\[(.*)\]$/s.exec(host)?.[1] ?? host;
  const isAddress = isIPv6(bare);
  if (host !== bare ? isAddress : bare !== '' && (isAddress || !/[:/[\]]/.test(bare))) return bare;
  throw invalid(text);
}

function invalid(text: string): ViasshError {
  return new ViasshError('DISPLAY_UNUSABLE', `${text} is not the name of a display`, {
    hint: 'write it as :0, :0.1, host:10, [address]:10 or the path of a socket',
  });
}
