/** Where the far end shall listen for us: RFC 4254 §7.1, and OpenSSH's PROTOCOL §2.4. */
export type RemoteForwardRequest =
  | {
      readonly kind: 'tcpip';
      /**
       * As in `ssh -R`: `localhost` (default), `` or `*` for every address, or one address. Anything but localhost takes
       * GatewayPorts on the server, which otherwise overrules it without a word.
       */
      readonly bindAddress?: string | undefined;
      /** 0: the server chooses. */
      readonly port: number;
    }
  | { readonly kind: 'streamlocal'; readonly path: string };

/** What a server listens on for us. `port` is the one chosen by the server when 0 was asked for. */
export type RemoteAddress =
  | { readonly kind: 'tcpip'; readonly bindAddress: string; readonly port: number }
  | { readonly kind: 'streamlocal'; readonly path: string };

/** A remote forward that stands. It ends with its connection. */
export interface RemoteListener extends AsyncDisposable {
  readonly address: RemoteAddress;
  /** Cancels it; channels that came through it live on. A second call waits for the first. Never rejects. */
  close(): Promise<void>;
  /** Resolves when the far end listens no more: cancelled, or the connection has ended. Never rejects. */
  readonly closed: Promise<void>;
}
