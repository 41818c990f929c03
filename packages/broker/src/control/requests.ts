import type { BrokerStatus } from '../status/broker-status.ts';

/**
 * The control socket: `control.sock` (0600) in the runtime folder (0700). One request a connection, one line of JSON each way;
 * `logs` answers with many lines, and after the answer to `lease` the socket speaks the frames of `lease/`.
 */
export const controlSocketName = 'control.sock';

/** Raised when a client of before could misunderstand. */
export const controlVersion = 1;

/** What a client asks. */
export type ControlRequest = { readonly version: number } & (
  | { readonly ask: 'status' }
  /** No names: all that are not manual. */
  | { readonly ask: 'up' | 'down'; readonly names: readonly string[] }
  | { readonly ask: 'reload' }
  /** Ends the broker. */
  | { readonly ask: 'stop' }
  | { readonly ask: 'retry'; readonly names: readonly string[] }
  | { readonly ask: 'logs'; readonly name?: string | undefined; readonly follow: boolean }
  | LeaseRequest
);

/** A connection for a command: only where all that decides about the login is equal. */
export interface LeaseRequest {
  readonly ask: 'lease';
  /** See `lease/lease-key.ts`. */
  readonly key: string;
  /** What the broker would open, were it to. */
  readonly destination: string;
  /** Typed options of ssh, as argv. */
  readonly ssh: readonly string[];
  readonly transport: string;
}

/** What the broker answers. */
export type ControlAnswer =
  | { readonly ok: true; readonly status?: BrokerStatus | undefined; readonly said?: readonly string[] | undefined }
  | { readonly ok: false; readonly code: string; readonly message: string; readonly hint?: string | undefined };
