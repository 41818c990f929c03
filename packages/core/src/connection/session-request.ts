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
  readonly pty?: PtyRequest | undefined;
  /** For the opening alone; what runs is ended by destroying the channel, or by the signal of `pipe()`. */
  readonly signal?: AbortSignal | undefined;
};
