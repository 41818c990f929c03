/** Which way bytes go on a wire between a client and a server. */
export type WireDirection = 'toServer' | 'toClient';

/** What a wire is like. Each applies to each direction by itself; order is always kept. */
export interface WireConditions {
  /** How long each byte travels, milliseconds, one way: half a round trip. The bandwidth is not limited by it. */
  readonly delayMs?: number | undefined;
  /** So many bytes at a time, with so many milliseconds between. */
  readonly trickle?: { readonly bytes: number; readonly everyMs: number } | undefined;
  /** No write is larger: small packets. */
  readonly maxChunk?: number | undefined;
}

/** How a wire is cut. */
export interface WireCut {
  /** `fin`: both ends see an orderly end of the stream; `rst`: both are reset. */
  readonly how: 'fin' | 'rst';
  /** Of the bytes that are under way (delayed, stalled), so many of the last do not arrive. Default: 0; `Infinity`: none arrives. */
  readonly lose?: number | undefined;
}

/** Messages before the encryption begins, which are told by their bytes (RFC 4253 §4.2, §7.1, §8, §7.3). */
export type WirePhase = 'ident' | 'kexinit' | 'kex' | 'newkeys';

/**
 * A place in one direction of a wire: where a phase begins; the beginning of the n-th turn (from 1) after the encryption
 * began, where a turn is all that one side says before the other answers; or so many bytes from now on.
 */
export type WirePoint = { readonly direction: WireDirection } & (
  | {
      readonly phase: WirePhase;
      /** Bytes behind the beginning of the phase. */
      readonly offset?: number | undefined;
    }
  | { readonly turn: number; readonly offset?: number | undefined }
  | { readonly bytes: number }
);
