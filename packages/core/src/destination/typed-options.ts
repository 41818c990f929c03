/** The ssh options that a caller may give by hand; named and meant as in ssh(1). */
export interface TypedOptions {
  /** `-F`: this ssh_config instead of the usual ones; `none` for none at all. */
  readonly configFile?: string | undefined;
  /** `-o`, each `Key=Value`, in the order given. */
  readonly options?: readonly string[] | undefined;
  /** `-i`, in the order given. */
  readonly identityFiles?: readonly string[] | undefined;
  /** `-l` */
  readonly user?: string | undefined;
  /** `-p` */
  readonly port?: number | undefined;
  /** `-J`: `hop[,hop…]`, or `none`. */
  readonly proxyJump?: string | undefined;
  /** `-4` or `-6` */
  readonly addressFamily?: 'inet' | 'inet6' | undefined;
  /** `-C` */
  readonly compression?: boolean | undefined;
  /** `-A` (true), `-a` (false) */
  readonly forwardAgent?: boolean | undefined;
  /** Before the first hop: `socks5://[user[:password]@]host:port` or `http://…`. Not one of ssh's. */
  readonly proxy?: string | undefined;
}
