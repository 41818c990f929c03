/** `config.yaml` as it was read and checked; `config.schema.json` is its published form. */
export interface BrokerConfig {
  /** May one-shot commands ride on the broker's connections? `auto`: they start a broker themselves, which ends when it is idle. */
  readonly share: 'yes' | 'no' | 'auto';
  /** Seconds without a channel after which a connection that no tunnel keeps up is closed. 0: never. */
  readonly idle: number;
  /** Where Prometheus may read: `unix:PATH` or `tcp:[HOST:]PORT` on loopback. */
  readonly metrics?: string | undefined;
  /** By name, in the order of the file. */
  readonly tunnels: ReadonlyMap<string, TunnelConfig>;
}

/** One tunnel: a plugin with its options, and the destination that it goes through. */
export interface TunnelConfig {
  /** `[user@]host[:port]` or a Host of ssh_config. */
  readonly via: string;
  /** The options of ssh for this destination, as they are typed: `-i`, `FILE`. */
  readonly ssh: readonly string[];
  /** The name of a plugin, or `pipe`: a raw endpoint, each of whose clients gets a run of `command`. */
  readonly plugin: string;
  /** The plugin's own options, by the names of its option table; of `forward` made from `forward`, `listen` and `to`. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Of `pipe`, and of plugins that take words. */
  readonly words: readonly string[];
  /** Where it listens on this machine, as `formatNearEnd()` writes it, as far as that is known before it does. */
  readonly listensAt?: readonly string[] | undefined;
  /** Where clients of `pipe` come. */
  readonly listen?: string | undefined;
  /** It connects when somebody first needs it. Default: true where it listens on this machine. */
  readonly lazy: boolean;
  /** Not started by `viassh up` without names. */
  readonly manual: boolean;
  /** Seconds that a client who comes while the connection is down waits for it. 0: it is turned away at once. */
  readonly wait: number;
  /** Looks from end to end whether it works. */
  readonly probe?: ProbeConfig | undefined;
  /** Where it stands in the file: for what is said about it. */
  readonly line: number;
}

/** What is tried, from this machine's side of the tunnel; or a command that is run here, or over the connection. */
export interface ProbeConfig {
  readonly kind: 'banner' | 'http' | 'imap' | 'command';
  /** Seconds between two. */
  readonly every: number;
  /** Seconds for an answer. */
  readonly timeout: number;
  /** Of `command`: run on the far end; exit status 0 is well. */
  readonly command?: string | undefined;
}
