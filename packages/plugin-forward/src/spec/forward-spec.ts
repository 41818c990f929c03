import type { FarEnd, NearEnd, RemoteForwardRequest } from '@viassh/core';

/** What the far end dials: a TCP port, or a Unix socket of its own. */
export type FarTarget = Extract<FarEnd, { kind: 'tcp' | 'unix' }>;

/** What this machine dials for a connection that was made to the far end. */
export type NearTarget =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** `-L`: connections to a near end go to a target of the far end. */
export interface LocalForwardSpec {
  readonly kind: 'local';
  readonly listen: NearEnd;
  readonly to: FarTarget;
}

/** `-D`, `--http`: each client of a near end says itself where it wants to go. */
export interface DynamicForwardSpec {
  readonly kind: 'dynamic';
  readonly listen: NearEnd;
  readonly protocol: 'socks' | 'http';
}

/** `-R`: connections made to the far end go to a target of this machine, or, without one, where a SOCKS client there says. */
export interface RemoteForwardSpec {
  readonly kind: 'remote';
  readonly listen: RemoteForwardRequest;
  readonly to: NearTarget | { readonly kind: 'socks' };
}

/** One forward, as asked for. */
export type ForwardSpec = LocalForwardSpec | DynamicForwardSpec | RemoteForwardSpec;
