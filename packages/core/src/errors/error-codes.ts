/** What viassh knows about one kind of failure. */
export interface ErrorEntry {
  /** `transient`: the same call may go through later; `permanent`: somebody has to change something first. */
  readonly kind: 'transient' | 'permanent';
  /** The exit code of the CLI: 255 as ssh's own failures, 64 (EX_USAGE of sysexits(3)) for a mistake in the call. */
  readonly exitCode: 64 | 255;
  /** One sentence for `docs/errors.md`. */
  readonly meaning: string;
}

/** Every failure that viassh reports itself. A remote program's non-zero exit is a result and not in this table. */
export const errorCodes = {
  // Mistakes in the call
  USAGE: {
    kind: 'permanent',
    exitCode: 64,
    meaning: 'The command line or the options of a call are not of the expected form.',
  },
  DESTINATION_INVALID: {
    kind: 'permanent',
    exitCode: 64,
    meaning: 'The destination is not one that ssh would accept.',
  },
  OPTION_INVALID: { kind: 'permanent', exitCode: 64, meaning: 'An option has a value that it cannot take.' },
  OPTION_REFUSED: {
    kind: 'permanent',
    exitCode: 64,
    meaning: 'A program gave its remote shell an option that only a person may give.',
  },
  PLUGIN_UNKNOWN: { kind: 'permanent', exitCode: 64, meaning: 'No plugin of that name is installed.' },
  PLUGIN_INVALID: { kind: 'permanent', exitCode: 255, meaning: 'A plugin does not fit the contract of this version.' },
  // Configuration
  CONFIG_INVALID: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'The configuration file has faults; or ssh refuses its own configuration, or an option given with -o.',
  },
  CONFIG_NEEDS_SSH: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'An ssh_config applies to the destination, and no ssh binary is here to read it.',
  },
  SETTING_UNSUPPORTED: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'The resolved configuration has a setting that the chosen transport cannot honour.',
  },
  CAPABILITY_MISSING: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'The chosen transport cannot do what the command needs.',
  },
  TRANSPORT_UNAVAILABLE: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'The transport asked for cannot run on this machine.',
  },
  // Reaching the server
  HOST_NOT_FOUND: { kind: 'transient', exitCode: 255, meaning: 'The host name has no address.' },
  CONNECTION_REFUSED: { kind: 'transient', exitCode: 255, meaning: 'Nothing listens at that address and port.' },
  HOST_UNREACHABLE: { kind: 'transient', exitCode: 255, meaning: 'There is no way to that host at the moment.' },
  CONNECT_TIMEOUT: { kind: 'transient', exitCode: 255, meaning: 'The server did not answer within the time allowed.' },
  PROXY_FAILED: {
    kind: 'transient',
    exitCode: 255,
    meaning: 'A proxy, the ProxyCommand or a jump host did not bring us to the server.',
  },
  PROTOCOL_ERROR: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'What answered does not speak SSH, or broke its rules.',
  },
  NEGOTIATION_FAILED: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'Client and server have no algorithm in common, or only one that is not safe to use.',
  },
  SERVER_CLOSED: {
    kind: 'transient',
    exitCode: 255,
    meaning: 'The server closed the connection before login was complete.',
  },
  CONNECTION_LOST: { kind: 'transient', exitCode: 255, meaning: 'The connection ended while it was in use.' },
  CONNECTION_CLOSED: { kind: 'permanent', exitCode: 255, meaning: 'The connection was already closed by this side.' },
  // Who the server is
  HOST_KEY_UNKNOWN: { kind: 'permanent', exitCode: 255, meaning: 'The host key is in none of the known_hosts files.' },
  HOST_KEY_CHANGED: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'The host key is not the one that known_hosts has for this host.',
  },
  HOST_KEY_REVOKED: { kind: 'permanent', exitCode: 255, meaning: 'The host key is marked @revoked.' },
  HOST_KEY_REFUSED: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'The host key was refused by the verifier of the caller.',
  },
  KNOWN_HOSTS_UNREADABLE: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'A known_hosts file is there and cannot be read.',
  },
  // Who we are
  AUTH_FAILED: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'The server, or a proxy before it, accepted none of the ways to log in that were tried.',
  },
  KEY_UNUSABLE: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'A private key cannot be read, or its passphrase is missing or wrong.',
  },
  // Channels
  CHANNEL_REFUSED: { kind: 'permanent', exitCode: 255, meaning: 'The server refused to open a channel.' },
  REQUEST_REFUSED: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'The server refused a request on an open channel (exec, subsystem, pty).',
  },
  FORWARD_REFUSED: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'The server refused to listen for us (a remote forward).',
  },
  EXIT_STATUS_MISSING: {
    kind: 'transient',
    exitCode: 255,
    meaning: 'The channel closed and the server never said how the remote command ended.',
  },
  STREAM_FAILED: { kind: 'permanent', exitCode: 255, meaning: 'A local stream of a bridge failed.' },
  LISTEN_FAILED: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'A socket or a port of this machine cannot be listened on.',
  },
  CLIENT_REFUSED: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'A client of a listener was turned away: it is of another user of this machine.',
  },
  CLIENT_PROTOCOL: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'A client of a SOCKS or HTTP proxy of ours broke its protocol, or asked for what is not done.',
  },
  CLIENT_LOGIN_FAILED: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'A client of a SOCKS or HTTP proxy of ours gave no user and password that is known.',
  },
  TARGET_DENIED: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'The rules of a forward do not let its clients go there.',
  },
  TOO_MANY_CLIENTS: {
    kind: 'transient',
    exitCode: 255,
    meaning: 'Clients of a listener were turned away: this process may open no more descriptors.',
  },
  // Local programs
  PROGRAM_NOT_FOUND: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'A program of this machine is not installed or not executable.',
  },
  PROGRAM_FAILED: { kind: 'permanent', exitCode: 255, meaning: 'A program of this machine ended with an error.' },
  MACHINE_BUSY: {
    kind: 'transient',
    exitCode: 255,
    meaning: 'This machine had no process, memory or descriptor left for what was to be started or opened.',
  },
  // IMAP
  IMAP_NOT_PREAUTH: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'The IMAP server asks for a login instead of greeting with PREAUTH.',
  },
  IMAP_BYE: { kind: 'permanent', exitCode: 255, meaning: 'The mail server said goodbye instead of a greeting.' },
  IMAP_NOISE: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'Something else than the greeting of a mail server came first.',
  },
  IMAP_NO_GREETING: { kind: 'permanent', exitCode: 255, meaning: 'The mail server ended without a greeting.' },
  IMAP_GREETING_TIMEOUT: {
    kind: 'transient',
    exitCode: 255,
    meaning: 'The mail server did not greet within the time allowed.',
  },
  // SMTP
  SMTP_TEMPORARY: {
    kind: 'transient',
    exitCode: 255,
    meaning: 'The SMTP server put a message off (an answer 4xx).',
  },
  SMTP_REFUSED: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'The SMTP server refused a message, a sender or a recipient (an answer 5xx).',
  },
  SMTP_PROTOCOL: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'What answered is no SMTP server, or broke its rules.',
  },
  SMTP_TIMEOUT: { kind: 'transient', exitCode: 255, meaning: 'An SMTP answer did not come within the time allowed.' },
  BSMTP_INVALID: { kind: 'permanent', exitCode: 255, meaning: 'What was read on stdin is no complete batch of SMTP.' },
  // rsync
  RSYNC_USAGE: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'The program rsync did not accept its arguments (exit codes 1, 3, 4, 6).',
  },
  RSYNC_STREAM: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'The far end is no rsync, or ended in the middle (exit codes 2, 5, 10, 12, 124 to 127).',
  },
  RSYNC_IO: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'The program rsync could not read or write files (exit codes 11, 22).',
  },
  RSYNC_PARTIAL: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'The program rsync transferred some of the files and not all (exit codes 23, 24, 25).',
  },
  RSYNC_TIMEOUT: {
    kind: 'transient',
    exitCode: 255,
    meaning: 'The program rsync heard nothing within the time allowed (exit codes 30, 35).',
  },
  RSYNC_ENDED: {
    kind: 'transient',
    exitCode: 255,
    meaning: 'The program rsync was ended by a signal or a fault of its own (its other exit codes).',
  },
  RSYNC_REFUSED: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'A command of an rsync client is not one that the account may run.',
  },
  REMOTE_SHELL_FAILED: {
    kind: 'transient',
    exitCode: 255,
    meaning: 'The remote shell of a program did not reach the far end (its exit code 255).',
  },
  // The broker
  BROKER_ABSENT: { kind: 'transient', exitCode: 255, meaning: 'No broker of this user runs.' },
  BROKER_RUNNING: { kind: 'permanent', exitCode: 255, meaning: 'Another broker of this user runs already.' },
  BROKER_PROTOCOL: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'What speaks on the control socket is no broker, or no client, of this version.',
  },
  FOLDER_UNSAFE: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'The runtime folder, or the control socket in it, is not for this user alone.',
  },
  TUNNEL_UNKNOWN: { kind: 'permanent', exitCode: 64, meaning: 'The configuration has no tunnel of that name.' },
  // X11
  DISPLAY_UNUSABLE: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'There is no X display here, or it does not let us in.',
  },
  X11_UNTRUSTED_IMPOSSIBLE: {
    kind: 'permanent',
    exitCode: 255,
    meaning:
      'The X server here cannot keep programs of the far end apart from others: it has no SECURITY extension, or makes no cookie.',
  },
  X11_REFUSED: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'The server did not accept the request for X11 forwarding.',
  },
  // IP links
  LIBRARY_MISSING: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'A library that speaks to the kernel cannot be loaded.',
  },
  TUN_MISSING: { kind: 'permanent', exitCode: 255, meaning: 'This machine has no tun devices.' },
  TUN_FORBIDDEN: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'This user may not open a tun device, or not set up networks.',
  },
  DEVICE_BUSY: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'The device is there already, and somebody else has it open.',
  },
  DEVICE_LOST: { kind: 'transient', exitCode: 255, meaning: 'The device was deleted under us.' },
  NETWORK_SETUP_FAILED: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'An address, a route or a name server could not be set.',
  },
  ADDRESS_CONFLICT: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'The address or network of the link is in use on this machine already.',
  },
  PPP_FAILED: { kind: 'permanent', exitCode: 255, meaning: 'The two ends of a link did not agree.' },
  PPP_AUTH_FAILED: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'The far end of a link did not accept our name and secret, or we did not accept its own.',
  },
  PPP_SILENT: { kind: 'transient', exitCode: 255, meaning: 'The far end of a link does not answer.' },
  PPP_LOOPED: { kind: 'permanent', exitCode: 255, meaning: 'The far end sends back what we send.' },
  FAR_LINK_MISSING: {
    kind: 'permanent',
    exitCode: 255,
    meaning: 'The far end has nothing that could be the other end of a link.',
  },
  // The rest
  ABORTED: { kind: 'permanent', exitCode: 255, meaning: 'The caller ended the operation.' },
  INTERNAL: { kind: 'permanent', exitCode: 255, meaning: 'A mistake in viassh itself.' },
} as const;

/** The name of a failure, stable across versions. */
export type ErrorCode = keyof typeof errorCodes;

/** The table's row for a code. */
export function errorEntry(code: ErrorCode): ErrorEntry {
  return errorCodes[code];
}
