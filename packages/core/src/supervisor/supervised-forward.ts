import type { RemoteAddress } from '../connection/remote-forward.ts';
import type { ViasshError } from '../errors/viassh-error.ts';
import type { FarSshd } from './far-sshd.ts';

/** How a remote forward of a supervised connection stands. Times are milliseconds since 1970. */
export type RemoteForwardState =
  | { readonly kind: 'standing'; readonly since: number }
  /** There is no connection. */
  | { readonly kind: 'down'; readonly since: number }
  /** `attempt` counts from 1 on each connection. */
  | { readonly kind: 'asking'; readonly since: number; readonly attempt: number }
  /** The far end refused, most often since our own dead session still listens there; asked again at `until`. */
  | {
      readonly kind: 'waiting';
      readonly since: number;
      readonly attempt: number;
      readonly until: number;
      readonly error: ViasshError;
    };

/** A remote forward that comes back with each connection. */
export interface SupervisedForward {
  /** Where it listened first, and does ever after. */
  readonly address: RemoteAddress;
  readonly state: RemoteForwardState;
  /** Who listens there for us, or did last; undefined where it could not be found out, or nobody may be ended. */
  readonly holder: FarSshd | undefined;
  /** How often a dead session of ours was ended there, so that it gave the place back. */
  readonly evictions: number;
}
