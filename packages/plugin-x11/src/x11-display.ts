import type { Duplex } from 'node:stream';
import type { Clock, Logger, Originator, ViasshError } from '@viassh/core';

/** Default of {@link X11DisplayOptions.timeoutMs}: ForwardX11Timeout of ssh_config, 20 minutes. */
export const FORWARD_X11_TIMEOUT_MS: number = 20 * 60_000;

/** Seconds, 23 days: an X server of X.Org counts milliseconds in 31 bits, and dies of a cookie that is to live longer. */
export const LONGEST_COOKIE_TIME = 2_000_000;

/** Which display, and how far its clients from the other side are trusted. */
export interface X11DisplayOptions {
  /** As in DISPLAY: see `parseDisplay`. */
  readonly display: string;
  /** The file with the real cookie, as in XAUTHORITY. Default: `.Xauthority` in the home folder. A file that is not there is an empty one. */
  readonly xauthority?: string | undefined;
  /** `true` as `ssh -Y`: clients may do all that programs here may. Default: untrusted as `ssh -X`, kept apart by the X server. */
  readonly trusted?: boolean | undefined;
  /**
   * Milliseconds that the X server keeps an untrusted cookie after its last client left, as ForwardX11Timeout; 0: for ever.
   * A new cookie is made before that, as long as the display is open: new clients are let in all the time. No meaning with
   * `trusted`. Default: 20 minutes.
   */
  readonly timeoutMs?: number | undefined;
  /** One client and no more. */
  readonly singleConnection?: boolean | undefined;
  readonly log?: Logger | undefined;
  /** What it throws is ignored. */
  readonly onEvent?: ((event: X11Event) => void) | undefined;
  readonly clock?: Clock | undefined;
  /** For the opening alone. */
  readonly signal?: AbortSignal | undefined;
}

/** What happens on a display; each is a line of the log, too. */
export type X11Event =
  | { readonly kind: 'opened'; readonly originator?: Originator | undefined }
  | { readonly kind: 'closed'; readonly originator?: Originator | undefined; readonly error?: ViasshError | undefined }
  /** By us, before a byte of it reached the X server: wrong cookie, no cookie, no X11, one too many, or the X server is not reached. */
  | { readonly kind: 'refused'; readonly originator?: Originator | undefined; readonly reason: string }
  /** By the X server, with its own words. */
  | { readonly kind: 'refused-by-display'; readonly originator?: Originator | undefined; readonly reason: string }
  /** An untrusted cookie took the place of the one before, whose clients stay. */
  | { readonly kind: 'renewed' }
  /** No new cookie could be made; tried again while the display is open. */
  | { readonly kind: 'renewal-failed'; readonly error: ViasshError };

/** As of now. */
export interface X11Counters {
  /** Clients that are connected. */
  readonly clients: number;
  readonly accepted: number;
  readonly refused: number;
  /** Bytes from clients to the display. */
  readonly toDisplay: number;
  readonly fromDisplay: number;
}

/** A display of this machine, open for clients that come with the fake cookie. Disposing ends them all, and revokes what was made. */
export interface X11Display extends AsyncDisposable {
  readonly protocol: 'MIT-MAGIC-COOKIE-1';
  /** 32 hexadecimal digits, random, for this display alone; the real one stays here. */
  readonly cookie: string;
  readonly screen: number;
  readonly trusted: boolean;
  readonly singleConnection: boolean;
  readonly counters: X11Counters;
  /**
   * Takes over the stream of one client: looks at its first packet, refuses it in the words of X11, or joins it to the
   * X server with the real cookie. Whatever becomes of it is told as an event; the stream is ended and destroyed in the end.
   */
  serve(channel: Duplex, originator?: Originator): void;
  /** Resolves when no client is connected; at once when none is. */
  idle(): Promise<void>;
}
