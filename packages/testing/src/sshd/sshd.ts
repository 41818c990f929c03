import type { KeyPair, KeyType } from './keys.ts';

/** What a test can ask of {@link startSshd}. */
export interface SshdOptions {
  /** The name of the block in the client's configuration. Default: `t`. Those of a chain want one each. */
  readonly host?: string | undefined;
  /** `inetd` (default): no port, each connection starts its own `sshd -i`. `listen`: one listener on 127.0.0.1. */
  readonly mode?: 'inetd' | 'listen' | undefined;
  /** Lines of sshd_config, put first so that they win; from a `Match` line on, put last. */
  readonly config?: readonly string[] | undefined;
  /** Lines for the client's `Host` block, put first so that they win. */
  readonly clientConfig?: readonly string[] | undefined;
  /** Options before the key in authorized_keys, e.g. `command="…"`. */
  readonly authorizedKeysOptions?: string | undefined;
  /** Gives the user this password and switches PasswordAuthentication on. Needs root. */
  readonly password?: string | undefined;
  /** What the client's known_hosts file says of the host key; `unreadable` makes a folder of it. Default: `good`. */
  readonly knownHosts?: 'good' | 'empty' | 'changed' | 'revoked' | 'unreadable' | undefined;
  /** Default: ed25519 alone. */
  readonly hostKeyTypes?: readonly [KeyType, ...KeyType[]] | undefined;
  /** False: the identity is not in authorized_keys. Default: true. */
  readonly authorize?: boolean | undefined;
  /** sshd runs in this network namespace (`ip netns`). Inetd mode only: nobody could dial it in there. Needs root. */
  readonly networkNamespace?: string | undefined;
}

/** A real sshd with a user, keys and a client configuration. Disposing leaves nothing. */
export interface Sshd extends AsyncDisposable {
  readonly mode: 'inetd' | 'listen';
  /** All files of the fixture; the user may pass through (0711). */
  readonly folder: string;
  /** As root a user made for this fixture, else oneself. */
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
  /** The user's home: inside `folder` when the user was made, else one's own, not to be written to. */
  readonly home: string;
  /** True when the user was made for this fixture. */
  readonly scratchUser: boolean;
  /** For `ssh -F`: one `Host` block. */
  readonly configFile: string;
  /** `t`, or the `host` asked for. */
  readonly destination: string;
  /** The listener's port; 22 in inetd mode, where nobody dials it. */
  readonly port: number;
  readonly identityFile: string;
  readonly knownHostsFile: string;
  readonly hostKeyFiles: readonly string[];
  /** `SHA256:…` of the first host key. */
  readonly hostKeyFingerprint: string;
  /** The listener's, in listen mode while it lives. */
  readonly pid: number | undefined;
  /** What sshd logged so far (LogLevel DEBUG1). */
  log(): Promise<string>;
  /** The process ids of this fixture's sshd: listener and those that serve connections. */
  processes(): Promise<readonly number[]>;
  /** SIGKILL for all of them and what they run: the server dies in the middle of what it does. */
  kill(): Promise<void>;
  /** A new key pair in `folder`, not authorized. */
  generateKey(options?: { readonly type?: KeyType; readonly passphrase?: string }): Promise<KeyPair>;
  /** Adds a line to authorized_keys. */
  authorize(publicKeyLine: string): Promise<void>;
}
