import type { Capability, Clock, Connection, Logger, PluginRegistry, ProgramRunner } from '@viassh/core';
import type { TunnelLogs } from '../log/tunnel-logs.ts';

/** A connection as somebody wants it. */
export interface ConnectionWish {
  /** As it was written. */
  readonly destination: string;
  /** Typed options of ssh, as argv. */
  readonly ssh: readonly string[];
  /** `auto`, or a transport's name. */
  readonly transport: string;
}

/** What a connection is made for, as well. */
export interface ConnectDetails {
  readonly needs: readonly Capability[];
  /** Long silences are usual: keepalives where the configuration has none. */
  readonly keepalive: boolean;
  /** Commands will be run over it: a session is kept open for the next one. */
  readonly warm: boolean;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** What the parts of a broker share. */
export interface BrokerWorld {
  readonly plugins: PluginRegistry;
  readonly programs: ProgramRunner;
  /** The broker's own. */
  readonly log: Logger;
  /** Gets what tunnels say as well, with their names. */
  readonly output: Logger;
  readonly logs: TunnelLogs;
  readonly clock: Clock;
  /** Makes one connection: resolves, selects, dials, logs in; asks nobody. */
  readonly connect: (wish: ConnectionWish, details: ConnectDetails) => Promise<Connection>;
  /** Equal for connections that may be shared: a hash of all that decides about the login. */
  readonly keyOf: (wish: ConnectionWish, signal?: AbortSignal) => Promise<string>;
  /** What ssh_config says of the destination, by lower-case names: for plugins that go by it. Default: nothing is known. */
  readonly settingsOf?:
    | ((wish: ConnectionWish, signal?: AbortSignal) => Promise<ReadonlyMap<string, readonly string[]>>)
    | undefined;
}
