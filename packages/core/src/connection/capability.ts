/** What a connection may be able to do; wire names as in RFC 4254 and OpenSSH's PROTOCOL. */
export type Capability =
  | 'exec'
  | 'shell'
  | 'subsystem'
  | 'pty'
  | 'env'
  | 'signal'
  | 'exit-signal'
  | 'direct-tcpip'
  | 'direct-streamlocal'
  | 'custom-host-key-verifier';

/** All of them, in the order in which they are shown. */
export const capabilities: readonly Capability[] = [
  'exec',
  'shell',
  'subsystem',
  'pty',
  'env',
  'signal',
  'exit-signal',
  'direct-tcpip',
  'direct-streamlocal',
  'custom-host-key-verifier',
];
