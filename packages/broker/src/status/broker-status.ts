/** What `viassh status --json` prints: a promise to scripts. Times are milliseconds since 1970. */
export interface BrokerStatus {
  readonly pid: number;
  readonly version: string;
  readonly since: number;
  readonly configFile: string;
  readonly connections: readonly ConnectionStatus[];
  readonly tunnels: readonly TunnelStatus[];
}

/** One connection with all that rides on it. */
export interface ConnectionStatus {
  /** Unique: a hash of the resolved configuration; the tunnels name it. */
  readonly key: string;
  /** As it was written. */
  readonly destination: string;
  readonly state: 'idle' | 'connecting' | 'up' | 'waiting' | 'stopped';
  readonly since: number;
  readonly attempt?: number | undefined;
  /** When the next attempt begins. */
  readonly nextRetry?: number | undefined;
  readonly lastError?:
    | { readonly code: string; readonly message: string; readonly hint?: string | undefined }
    | undefined;
  readonly ups: number;
  readonly roundTripMs?: number | undefined;
  readonly transport?: string | undefined;
  /** user@host:port */
  readonly peer?: string | undefined;
  readonly hostKey?: string | undefined;
  readonly kex?: string | undefined;
  readonly cipher?: string | undefined;
  readonly mac?: string | undefined;
  readonly channels: number;
  readonly leases: number;
  /** Bytes since the broker began, of all channels. */
  readonly sent: number;
  readonly received: number;
}

/** One tunnel of the configuration. */
export interface TunnelStatus {
  readonly name: string;
  readonly plugin: string;
  /** The {@link ConnectionStatus.key} of its connection. */
  readonly connection: string;
  readonly via: string;
  /** `down`: not asked for. `failed`: ended by itself, see `lastError`. */
  readonly state: 'down' | 'starting' | 'up' | 'failed';
  readonly since: number;
  /** Where it listens, as the plugin said it. */
  readonly listeners: readonly string[];
  readonly lastError?:
    | { readonly code: string; readonly message: string; readonly hint?: string | undefined }
    | undefined;
  readonly probe?: { readonly ok: boolean; readonly at: number; readonly said: string } | undefined;
}
