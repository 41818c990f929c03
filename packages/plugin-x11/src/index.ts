export { type DisplayName, parseDisplay } from './display/parse-display.ts';
export { openX11Display } from './open-x11-display.ts';
export { x11, type X11Forward } from './x11.ts';
export {
  FORWARD_X11_TIMEOUT_MS,
  type X11Counters,
  type X11Display,
  type X11DisplayOptions,
  type X11Event,
} from './x11-display.ts';
export type { FarDisplay } from './far-display/open-far-display.ts';
export { x11ByForward, type X11ByForward } from './x11-by-forward.ts';
export { type AskedDisplay, askedDisplay } from './asked-x11.ts';
export { x11Plugin } from './x11-plugin.ts';
export { readyForSsh, type X11BySsh, type X11BySshContext } from './x11-by-ssh.ts';
