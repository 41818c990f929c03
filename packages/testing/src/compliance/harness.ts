import type { Capability, Connection, ConnectOptions, ProxyAddress, Route, Transport } from '@viassh/core';
import type { TunDevice } from '../tun/tun-server.ts';

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
  /** What the server refuses, whoever asks. */
  readonly refuse?: readonly ('forwarded-tcpip' | 'forwarded-streamlocal' | 'tun')[] | undefined;
  /** The one port that a remote forward may ask for. Default: all. */
  readonly permitListen?: number | undefined;
  /** The server has tun devices; a user who may open them; and sits where they are its own. */
  readonly tun?: boolean | undefined;
  /** ForwardAgent: the socket of an agent; `yes`, the one that we log in with, and there is none; or not at all (default). */
  readonly forwardAgent?: string | undefined;
  /** 2: a jump host stands before the server. Default: 1. */
  readonly hops?: 1 | 2 | undefined;
  /** As `knownHosts`, of the jump host's key. */
  readonly jumpKnownHosts?: 'good' | 'empty' | 'changed' | undefined;
  /** What stands before the first hop; with `login`, it asks for that. */
  readonly proxy?: { readonly protocol: ProxyAddress['protocol']; readonly login?: boolean | undefined } | undefined;
  /** RekeyLimit, in ssh_config's words. */
  readonly rekeyLimit?: string | undefined;
  readonly compression?: boolean | undefined;
}

/** A hop before the server. */
export interface ComplianceJumpHost {
  /** `SHA256:…` of its key. */
  readonly hostKeyFingerprint: string;
  /** It dies, and with it what went through it. */
  cut(): Promise<void>;
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
  /** The hops before it, first to last. */
  readonly jumpHosts: readonly ComplianceJumpHost[];
  /** The device for IP packets, with `tun`. */
  readonly tunDevice?: TunDevice | undefined;
  /** `host:port` of all that the proxy was asked to dial. */
  readonly dialledByProxy: readonly string[];
  /** Session channels that were opened so far on all connections, whatever came of them. */
  sessionsOpened(): Promise<number>;
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
  /** False: nothing goes over a socket, and so through no proxy. Default: true. */
  readonly hasWire?: boolean | undefined;
  /** Why nothing, or this kind of login or capability, can be served on this machine; undefined when it can. */
  missing(login?: ComplianceServerOptions['login'], needs?: readonly Capability[]): Promise<string | undefined>;
  serve(options?: ComplianceServerOptions): Promise<ComplianceServer>;
}
