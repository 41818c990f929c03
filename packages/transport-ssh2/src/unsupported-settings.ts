import { type ResolvedDestination, ViasshError } from '@viassh/core';

type Raw = (name: string) => string | undefined;

/** ssh_config settings whose absence here would weaken security or break the login, and when they are in force. */
const unsupported: readonly {
  readonly name: string;
  readonly why: string;
  readonly isSet: (raw: Raw, hop: ResolvedDestination) => boolean;
}[] = [
  { name: 'CertificateFile', why: 'ssh2 has no certificates', isSet: (raw) => isNamed(raw('certificatefile')) },
  {
    name: 'PKCS11Provider',
    why: 'ssh2 has no PKCS#11, so the key that is meant cannot be used',
    isSet: (raw) => isNamed(raw('pkcs11provider')),
  },
  {
    name: 'SecurityKeyProvider',
    why: 'ssh2 has no security keys, so the key that is meant cannot be used',
    isSet: (raw) => isNamed(raw('securitykeyprovider')) && raw('securitykeyprovider') !== 'internal',
  },
  {
    name: 'GSSAPIKeyExchange',
    why: 'ssh2 has no Kerberos to know the server by',
    isSet: (raw) => isYes(raw('gssapikeyexchange')),
  },
  {
    name: 'RefuseConnection',
    why: 'the configuration says not to connect',
    isSet: (raw) => isNamed(raw('refuseconnection')),
  },
  {
    name: 'KnownHostsCommand',
    why: 'host keys that it would tell are not seen',
    isSet: (raw) => isNamed(raw('knownhostscommand')),
  },
  { name: 'VerifyHostKeyDNS', why: 'SSHFP records are not looked up', isSet: (raw) => isYes(raw('verifyhostkeydns')) },
  {
    name: 'RevokedHostKeys',
    why: 'a revoked host key would be accepted',
    isSet: (raw) => isNamed(raw('revokedhostkeys')),
  },
  {
    name: 'HostbasedAuthentication',
    why: 'ssh2 cannot use the keys of this host',
    isSet: (raw) => isYes(raw('hostbasedauthentication')),
  },
  {
    name: 'ProxyUseFdpass',
    why: 'a passed descriptor cannot be received',
    isSet: (raw, hop) => isYes(raw('proxyusefdpass')) && isNamed(hop.proxyCommand),
  },
  {
    name: 'BindInterface',
    why: 'the connection would leave by another interface',
    isSet: (raw) => isNamed(raw('bindinterface')),
  },
];

/**
 * Refuses what this transport cannot honour. GSSAPIAuthentication is not in the list: it is on by default on some
 * systems, and a login by another method is as safe; it is just not tried.
 *
 * @throws ViasshError SETTING_UNSUPPORTED
 */
export function refuseUnsupportedSettings(hop: ResolvedDestination): void {
  const raw: Raw = (name) => hop.raw.get(name)?.[0];
  const found = unsupported.filter(({ isSet }) => isSet(raw, hop));
  if (found.length === 0) return;
  throw settingUnsupported(hop, found.map(({ name, why }) => `${name} (${why})`).join(', '));
}

/** The error for settings of a hop, with the way out. */
export function settingUnsupported(hop: Pick<ResolvedDestination, 'hostName'>, what: string): ViasshError {
  return new ViasshError(
    'SETTING_UNSUPPORTED',
    `the ssh2 transport cannot honour what is set for ${hop.hostName}: ${what}`,
    {
      hint: 'use --transport openssh',
    },
  );
}

function isNamed(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value.toLowerCase() !== 'none';
}

function isYes(value: string | undefined): boolean {
  return value !== undefined && ['yes', 'true', 'on'].includes(value.toLowerCase());
}
