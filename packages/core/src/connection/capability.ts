import { ViasshError } from '../errors/viassh-error.ts';

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
  | 'forwarded-tcpip'
  | 'forwarded-streamlocal'
  /** Who connected to a remote forward is told. */
  | 'originator'
  | 'tun'
  /** Channels of the kind `auth-agent@openssh.com` can be had by us; ForwardAgent works without it. */
  | 'agent'
  | 'x11'
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
  'forwarded-tcpip',
  'forwarded-streamlocal',
  'originator',
  'tun',
  'agent',
  'x11',
  'custom-host-key-verifier',
];

/** What a transport says that was asked for something it has not. */
export function capabilityMissing(transport: string, capability: Capability, hint?: string): ViasshError {
  return new ViasshError('CAPABILITY_MISSING', `the ${transport} transport cannot do ${capability}`, { hint });
}
