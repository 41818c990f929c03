import { type OptionValues, ViasshError } from '@viassh/core';
import type { X11DisplayOptions } from './x11-display.ts';

/** What `viassh x11` can be asked for. */
export const x11Options = {
  trusted: {
    type: 'boolean',
    letter: 'Y',
    summary: 'programs there may do on the display whatever programs here may',
  },
  untrusted: {
    type: 'boolean',
    letter: 'X',
    summary: 'the display keeps them apart from the programs here: what is usual',
  },
  way: {
    type: 'string',
    valueName: 'WAY',
    summary:
      'request: as ssh does it; forward: by a display socket of our own on the far end, where the server refuses X11',
    default: 'request',
  },
  display: {
    type: 'string',
    valueName: 'DISPLAY',
    summary: 'the display here: [HOST]:NUMBER[.SCREEN], or the path of its socket',
    variable: 'DISPLAY',
  },
  xauthority: {
    type: 'string',
    valueName: 'FILE',
    summary: "the file with the display's cookie (without both: ~/.Xauthority)",
    variable: 'XAUTHORITY',
  },
  timeout: {
    type: 'number',
    valueName: 'SECONDS',
    summary:
      'how long the display keeps the cookie of untrusted programs, 0: always (default: ForwardX11Timeout of ssh_config)',
    max: 2_000_000, // what a timer can hold
  },
  singleConnection: { type: 'boolean', summary: 'one program may connect to the display, once' },
} as const;

/** The checked values of {@link x11Options}. */
export type X11PluginOptions = OptionValues<typeof x11Options>;

/** Which of the two ways, checked. @throws ViasshError OPTION_INVALID */
export function wayOf({ way }: Pick<X11PluginOptions, 'way'>): 'request' | 'forward' {
  if (way === 'request' || way === 'forward') return way;
  throw new ViasshError('OPTION_INVALID', `--way wants request or forward, not '${way}'`);
}

/** @throws ViasshError OPTION_INVALID; DISPLAY_UNUSABLE when no display is named */
export function checkX11Options(options: X11PluginOptions): void {
  wayOf(options);
  if (options.trusted && options.untrusted)
    throw new ViasshError('OPTION_INVALID', '--trusted and --untrusted do not go together', {
      hint: 'leave both away for untrusted',
    });
  if (options.words.length === 0)
    throw new ViasshError('OPTION_INVALID', 'which program is to be started there?', {
      hint: 'viassh x11 DEST -- PROGRAM; for a shell with X11: viassh pipe -t -X DEST',
    });
  namedDisplay(options);
}

/** The display that is meant. @throws ViasshError DISPLAY_UNUSABLE when there is none */
export function namedDisplay({ display }: Pick<AskedDisplay, 'display'>): string {
  if (display !== undefined) return display;
  throw new ViasshError('DISPLAY_UNUSABLE', 'there is no X display here: DISPLAY is not set', {
    hint: 'start it from a program on the display, or name one: --display :0',
  });
}

/** What of {@link x11Options} says which display, and how; undefined and left out are what is usual. */
export type AskedDisplay = Partial<
  Pick<X11PluginOptions, 'display' | 'xauthority' | 'trusted' | 'timeout' | 'singleConnection'>
>;

/** A display as it is asked for on a command line, without `signal` and `log`. */
export function askedDisplay(
  options: AskedDisplay,
  settings: ReadonlyMap<string, readonly string[]> | undefined,
): X11DisplayOptions & { readonly timeoutMs: number; readonly trusted: boolean } {
  return {
    display: namedDisplay(options),
    xauthority: options.xauthority,
    trusted: options.trusted === true,
    timeoutMs: (options.timeout ?? configuredTimeout(settings?.get('forwardx11timeout')?.[0])) * 1000,
    singleConnection: options.singleConnection,
  };
}

const DEFAULT_TIMEOUT = 20 * 60; // ssh_config(5), ForwardX11Timeout
const unitSeconds: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** ForwardX11Timeout in seconds, as `ssh -G` prints it or as it is written: sshd_config(5), TIME FORMATS. */
function configuredTimeout(said: string | undefined): number {
  if (said === undefined || !/^(?:\d+[smhdw]?)+$/i.test(said)) return DEFAULT_TIMEOUT;
  const parts = said.toLowerCase().matchAll(/(\d+)([smhdw]?)/g);
  return [...parts].reduce((sum, [, count, unit = '']) => sum + Number(count) * (unitSeconds[unit] ?? 0), 0);
}
