import { type Clock, type ClockTimer, isViasshError, type Logger, toViasshError, ViasshError } from '@viassh/core';
import { type TimeLimit, within } from '../display/within.ts';
import type { DisplayName } from '../display/parse-display.ts';
import { LONGEST_COOKIE_TIME } from '../x11-display.ts';
import { type Authorization, SecurityExtension } from './security-extension.ts';
import { type Entrance, XClient } from './x-client.ts';

/** Milliseconds for the X server to answer: it draws meanwhile, and may be far away itself. */
const ANSWER_TIME = 10_000;
/** Milliseconds for it to take cookies back, while somebody waits for the end. */
const FAREWELL_TIME = 1000;
/** The part of its time after which a cookie is replaced: what is left is for a machine that is slow. */
const RENEW_AT = 0.75;

/** What the cookies of a display are made with. */
export interface UntrustedOptions {
  readonly display: DisplayName;
  /** A new connection, with the real cookie. */
  readonly enter: (signal: AbortSignal) => Promise<Entrance>;
  /** 0: for ever. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onRenewed: () => void;
  readonly onFailure: (error: ViasshError) => void;
}

/** A connection to the X server, and what it made for us. */
interface Issuer {
  readonly client: XClient;
  readonly security: SecurityExtension;
  current: Authorization;
  /** Those that are not known to be gone, the current one among them. */
  readonly issued: Set<number>;
}

/**
 * Cookies of the SECURITY extension for one display: there is always one that lets in. Each is replaced before it runs out, at
 * once when the X server takes it back, and after the X server itself was replaced when the next client comes. The connection that
 * asks for them stays: an X server that loses its last client forgets them.
 */
export class UntrustedCookies implements AsyncDisposable {
  readonly #options: UntrustedOptions;
  readonly #ended = new AbortController();
  #issuer: Promise<Issuer> | undefined;
  /** What {@link #issuer} resolved to. */
  #settled: Issuer | undefined;
  #timer: ClockTimer | undefined;
  #explained = false;

  private constructor(options: UntrustedOptions) {
    this.#options = options;
  }

  /** @throws ViasshError DISPLAY_UNUSABLE, X11_UNTRUSTED_IMPOSSIBLE, ABORTED */
  static async open(options: UntrustedOptions, signal: AbortSignal | undefined): Promise<UntrustedCookies> {
    const cookies = new UntrustedCookies(options);
    await cookies.#ready(signal);
    return cookies;
  }

  /** The one for the next client. @throws as {@link open} */
  async current(): Promise<Buffer> {
    return (await this.#ready(undefined)).current.cookie;
  }

  /** Revokes them all: clients that came with one are ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    this.#options.clock.clearTimeout(this.#timer);
    const issuer = await this.#issuer?.catch(() => undefined);
    if (issuer === undefined) return;
    const { client, security, issued } = issuer;
    try {
      if (client.isOpen)
        await within(this.#limit(FAREWELL_TIME), silent, (limit) => security.revoke([...issued], limit));
    } catch {
      // the X server is gone, or busy: they run out by themselves
    } finally {
      client.close();
    }
  }

  #ready(signal: AbortSignal | undefined): Promise<Issuer> {
    this.#issuer ??= this.#begin(signal);
    return this.#issuer;
  }

  async #begin(signal: AbortSignal | undefined): Promise<Issuer> {
    const begun = within(this.#limit(ANSWER_TIME, signal ?? this.#ended.signal), silent, (limit) => this.#make(limit));
    try {
      const issuer = await begun;
      this.#settled = issuer;
      issuer.client.onClosed = () => this.#forget(issuer);
      if (issuer.client.isOpen) this.#schedule(issuer);
      else this.#forget(issuer);
      return issuer;
    } catch (error) {
      this.#issuer = undefined; // the next client may find an X server
      throw error;
    }
  }

  async #make(signal: AbortSignal): Promise<Issuer> {
    const { display, enter } = this.#options;
    const client = await XClient.open(display, await enter(signal), signal);
    try {
      if (display.screen >= client.screens) throw noScreen(display, client.screens);
      const issued = new Set<number>();
      let made: Issuer | undefined;
      const onRevoked = (id: number): void => {
        issued.delete(id);
        if (made?.current.id === id) void this.#renew(made);
      };
      const security = await SecurityExtension.find(client, onRevoked, signal);
      if (security === undefined) throw impossible(display, 'has no SECURITY extension');
      const current = await security.generate(this.#seconds, signal);
      issued.add(current.id);
      made = { client, security, current, issued };
      return made;
    } catch (error) {
      client.close();
      if (isViasshError(error)) throw error;
      throw impossible(display, `makes no cookie: ${(error as Error).message}`, error);
    }
  }

  #schedule(issuer: Issuer): void {
    const { clock, timeoutMs } = this.#options;
    clock.clearTimeout(this.#timer);
    if (timeoutMs === 0 || this.#ended.signal.aborted) return;
    this.#timer = clock.setTimeout(
      () => void this.#renew(issuer),
      Math.min(timeoutMs, LONGEST_COOKIE_TIME * 1000) * RENEW_AT,
    );
    this.#timer.unref();
  }

  /** Never rejects. */
  async #renew(issuer: Issuer): Promise<void> {
    if (this.#ended.signal.aborted || !issuer.client.isOpen) return;
    try {
      const next = await within(this.#limit(ANSWER_TIME, this.#ended.signal), silent, (limit) =>
        issuer.security.generate(this.#seconds, limit),
      );
      issuer.issued.add(next.id);
      issuer.current = next;
      this.#explain();
      this.#options.onRenewed();
      this.#schedule(issuer);
    } catch (error) {
      if (this.#ended.signal.aborted) return;
      this.#options.onFailure(toViasshError(error, 'DISPLAY_UNUSABLE'));
      issuer.client.close(); // the next client asks by a new connection
    }
  }

  #forget(issuer: Issuer): void {
    if (this.#ended.signal.aborted || this.#settled !== issuer) return;
    this.#options.clock.clearTimeout(this.#timer);
    this.#settled = undefined;
    this.#issuer = undefined;
  }

  #explain(): void {
    const { log, timeoutMs } = this.#options;
    const message = `the untrusted cookie of the display would run out ${timeoutMs / 1000} s after it was last used (ForwardX11Timeout): new windows come with a new one, open ones stay`;
    if (this.#explained) log.debug(message);
    else log.info(message);
    this.#explained = true;
  }

  get #seconds(): number {
    return Math.min(Math.ceil(this.#options.timeoutMs / 1000), LONGEST_COOKIE_TIME);
  }

  #limit(ms: number, signal?: AbortSignal): TimeLimit {
    return { clock: this.#options.clock, ms, signal };
  }
}

/** The error for a screen that the display has not. */
export function noScreen({ text, screen }: DisplayName, screens: number): ViasshError {
  return new ViasshError('DISPLAY_UNUSABLE', `the display ${text} has no screen ${screen}`, {
    hint: `screens are counted from 0, and it has ${screens}`,
  });
}

function impossible({ text }: DisplayName, why: string, cause?: unknown): ViasshError {
  return new ViasshError('X11_UNTRUSTED_IMPOSSIBLE', `the X server of ${text} ${why}`, {
    hint: 'without it, programs of the far end can read and type everywhere on the display: allow that with --trusted (-Y), or start the X server with the extension; one that is itself reached by untrusted forwarding shows it to nobody',
    cause,
  });
}

function silent(): ViasshError {
  return new ViasshError('DISPLAY_UNUSABLE', 'the X server does not answer', {
    hint: 'DISPLAY must name a display that xdpyinfo can open from here',
  });
}
