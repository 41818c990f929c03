/** A terminal for the far end, RFC 4254 §6.2. */
export interface PtyRequest {
  /** TERM on the far end. */
  readonly term: string;
  readonly columns: number;
  readonly rows: number;
  /** Pixels; 0 = unknown. */
  readonly width?: number | undefined;
  readonly height?: number | undefined;
}

/** X11 for what runs in a session, RFC 4254 §6.3.1. Its channels come to the handler of `onIncomingChannel('x11', …)`. */
export interface X11Request {
  /** One X11 channel and no more. */
  readonly singleConnection?: boolean | undefined;
  /** `MIT-MAGIC-COOKIE-1` */
  readonly protocol: string;
  /** Hexadecimal. A fake one: the real cookie never leaves this machine. */
  readonly cookie: string;
  readonly screen: number;
}

/** What a session channel is for: exactly one of the three forms of RFC 4254 §6.5. */
export type SessionRequest = (
  | {
      readonly kind: 'exec' /** Sent unaltered: the far end's shell or forced command sees these very bytes (UTF-8). */;
      readonly command: string;
    }
  | { readonly kind: 'shell' }
  | { readonly kind: 'subsystem'; readonly subsystem: string }
) & {
  /** Sent as `env` requests (§6.4); the server drops what its AcceptEnv does not name, and does not say so. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Nothing of the connection's own (SendEnv, SetEnv) is sent beside `env`: who asks has surroundings of their own. */
  readonly onlyEnv?: boolean | undefined;
  readonly pty?: PtyRequest | undefined;
  /** Needs the capability `x11`. */
  readonly x11?: X11Request | undefined;
  /** For the opening alone; what runs is ended by destroying the channel, or by the signal of `pipe()`. */
  readonly signal?: AbortSignal | undefined;
};

/** The variables of a session, on a connection that sends `own` with each. */
export function sessionEnvironment(
  own: Readonly<Record<string, string>> | undefined,
  { env, onlyEnv = false }: Pick<SessionRequest, 'env' | 'onlyEnv'>,
): Readonly<Record<string, string>> {
  return onlyEnv ? { ...env } : { ...own, ...env };
}
