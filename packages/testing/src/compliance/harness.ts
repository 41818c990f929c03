import type { Capability, Connection, ConnectOptions, Route, Transport } from '@viassh/core';

/** A secret that a login takes. The suites use these words. */
export const complianceSecret = 'open sesame';

/** What the server of one case is like. */
export interface ComplianceServerOptions {
  /** How the route reaches the server: by TCP (default), or through a ProxyCommand's stdio. */
  readonly wire?: 'tcp' | 'proxy-command' | undefined;
  /** What the client's known_hosts says of the host key; `unreadable`: the file is a folder. Default: `good`. */
  readonly knownHosts?: 'good' | 'empty' | 'changed' | 'revoked' | 'unreadable' | undefined;
  readonly strictHostKeyChecking?: 'yes' | 'accept-new' | undefined;
  /**
   * How one gets in: by the route's key (default); nobody at all (`wrong-key`); by the key with
   * {@link complianceSecret} as its passphrase; by that as password alone.
   */
  readonly login?: 'key' | 'wrong-key' | 'encrypted-key' | 'password' | undefined;
  /** What answers. `silent`: nothing ever comes; `not-ssh`: an HTTP server's words; `closes`: hung up at once. */
  readonly behaviour?: 'ssh' | 'silent' | 'not-ssh' | 'closes' | undefined;
  /** Seconds. */
  readonly connectTimeout?: number | undefined;
  /** Session channels that the server allows at a time. Default: plenty. */
  readonly maxSessions?: number | undefined;
}

/** A server for one or several cases, with a route to it. It accepts `VIASSH_*` variables and has `echo` (cat) as subsystem. */
export interface ComplianceServer extends AsyncDisposable {
  readonly route: Route;
  /** Connects with known_hosts as the verifier, nobody to ask, and no log, unless told otherwise. */
  readonly connect: (overrides?: Partial<ConnectOptions>) => Promise<Connection>;
  /** `SHA256:…` of the server's key. */
  readonly hostKeyFingerprint: string;
  /** The client's known_hosts file. */
  readonly knownHostsFile: string;
  /** A folder on this machine into which both ends may write. */
  readonly folder: string;
  /** Resolves once a server that is not `ssh` in its behaviour was dialled. */
  readonly contacted: Promise<void>;
  /** The server dies, without a word to those who are connected. Nobody gets in any more. */
  cut(): Promise<void>;
}

/** What a transport's author hands in to have it examined. */
export interface ComplianceHarness {
  /** In every case's name. */
  readonly name: string;
  readonly transport: Transport;
  /** Where the transport keeps its private folders: after the end they have to be gone. */
  readonly runtimeFolder?: string | undefined;
  /** Why nothing, or this kind of login or capability, can be served on this machine; undefined when it can. */
  missing(login?: ComplianceServerOptions['login'], needs?: readonly Capability[]): Promise<string | undefined>;
  serve(options?: ComplianceServerOptions): Promise<ComplianceServer>;
}
