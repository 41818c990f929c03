/** What is known of one hop; a field is undefined where the transport cannot tell. */
export interface HopInfo {
  /** `user@host:port`, as dialled. */
  readonly peer: string;
  /** Live. */
  readonly state: 'up' | 'ended';
  /** The server's identification string, RFC 4253 §4.2. */
  readonly serverVersion?: string | undefined;
  /** `ssh-ed25519 SHA256:…` */
  readonly hostKey?: string | undefined;
  readonly kex?: string | undefined;
  /** Client to server. */
  readonly cipher?: string | undefined;
  /** Client to server; `implicit` for a cipher that authenticates by itself. */
  readonly mac?: string | undefined;
  /** Client to server: `none`, `zlib@openssh.com`. */
  readonly compression?: string | undefined;
  /** The method that logged us in: `publickey`, `password`, … */
  readonly authenticatedBy?: string | undefined;
  /** Milliseconds from a question of the handshake to its answer, all hops before this one included; an upper bound. */
  readonly roundTripMs?: number | undefined;
}

/** What is known of a connection: its last hop, and every hop of the way. */
export interface ConnectionInfo extends HopInfo {
  /** From the first that was dialled to the last, which is the destination itself. */
  readonly hops: readonly HopInfo[];
  /** The process that has its wire, where that is neither this one nor one that it started: a master of the user's own. */
  readonly wireProcess?: number | undefined;
}
