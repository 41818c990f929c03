import type { Capability } from '@viassh/core';

/** What connections of this transport can do. */
export const ssh2Capabilities: ReadonlySet<Capability> = new Set<Capability>([
  'exec',
  'shell',
  'subsystem',
  'pty',
  'env',
  'signal',
  'exit-signal',
  'direct-tcpip',
  'direct-streamlocal',
  'forwarded-tcpip',
  'forwarded-streamlocal',
  'originator',
  'tun',
  'agent',
  'x11',
  'custom-host-key-verifier',
]);
